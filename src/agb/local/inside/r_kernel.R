# The process that evaluates R cells. All of it is local: cells have the global scope for themselves.

local({
  descriptors <- tail(commandArgs(TRUE), 3)
  open_descriptor <- function(number, mode, blocking = TRUE) {
    file(paste0("/proc/self/fd/", number), mode, blocking, raw = TRUE)
  }
  cells <- open_descriptor(descriptors[[1]], "rb")
  replies <- open_descriptor(descriptors[[2]], "wb")
  # The numbers of the cells that are to be interrupted; there may be none to read.
  interrupts <- open_descriptor(descriptors[[3]], "rb", blocking = FALSE)

  read_bytes <- function(count) {
    data <- raw()
    while (length(data) < count) {
      more <- readBin(cells, "raw", count - length(data))
      if (length(more) == 0) quit(save = "no")
      data <- c(data, more)
    }
    data
  }

  receive <- function() {
    size <- readBin(read_bytes(4), "integer", size = 4, endian = "big")
    text <- rawToChar(read_bytes(size))
    Encoding(text) <- "UTF-8"
    # `{"code":"…","live":…}`: the escapes of its text are those of R, too.
    quoted <- sub(',"live":(true|false)}$', "", substring(text, 9))
    eval(parse(text = quoted, keep.source = FALSE, encoding = "UTF-8"))
  }

  json <- function(text) {
    text <- enc2utf8(paste(text, collapse = "\n"))
    text <- iconv(text, "UTF-8", "UTF-8", sub = "byte")
    text <- gsub("\\", "\\\\", text, fixed = TRUE)
    text <- gsub('"', '\\"', text, fixed = TRUE)
    for (code in c(1:31, 127)) {
      text <- gsub(intToUtf8(code), sprintf("\\u%04x", code), text, fixed = TRUE)
    }
    paste0('"', text, '"')
  }

  send <- function(text) {
    body <- charToRaw(enc2utf8(text))
    writeBin(c(writeBin(length(body), raw(), endian = "big"), body), replies)
    flush(replies)
  }

  failure <- function(name, value, traceback = "") {
    sprintf('{"name": %s, "value": %s, "traceback": %s}', json(name), json(value), json(traceback))
  }

  describe <- function(error, calls) {
    kind <- class(error)[[1]]
    call <- conditionCall(error)
    at <- if (is.null(call) || length(calls) == 0) "" else paste0(" in ", paste(deparse(call), collapse = "\n"))
    lines <- vapply(calls, function(each) deparse(each, nlines = 1L)[[1]], "")
    failure(
      if (kind == "simpleError") "Error" else kind,
      conditionMessage(error),
      c(paste0("Error", at, ": ", conditionMessage(error)), sprintf("    %s", lines))
    )
  }

  # R takes no interrupt before the cell has come, nor while `system` waits for a program. So the
  # number of the cell, which comes before the signal, is looked for as well.
  last_stopped <- 0
  stop_if_told <- function() {
    numbers <- readBin(interrupts, "integer", 1024, size = 4, endian = "big")
    if (length(numbers) > 0) last_stopped <<- tail(numbers, 1)
    if (last_stopped == count) signalCondition(structure(list(), class = c("interrupt", "condition")))
  }

  # The value of the last expression; those before are printed, as in a script.
  evaluate <- function(code) {
    shown <- NULL
    expressions <- parse(text = code, keep.source = FALSE, encoding = "UTF-8")
    for (expression in as.list(expressions)) {
      stop_if_told()
      if (!is.null(shown)) print(shown$value)
      outcome <- withVisible(eval(expression, globalenv()))
      shown <- if (outcome$visible) outcome
    }
    if (is.null(shown)) "" else {
      text <- json(utils::capture.output(print(shown$value)))
      sprintf('{"text/plain": %s, "isMainResult": true}', text)
    }
  }

  run <- function(code) {
    result <- ""
    error <- "null"
    calls <- list()
    tryCatch(
      result <- withCallingHandlers(
        allowInterrupts(evaluate(code)),
        warning = function(warning) {
          cat("Warning: ", conditionMessage(warning), "\n", sep = "", file = stderr())
          invokeRestart("muffleWarning")
        },
        error = function(error) {
          calls <<- sys.calls()
          # Without what is ours: around the cell, and around this handler.
          ours <- which(vapply(calls, function(each) identical(each, quote(evaluate(code))), NA))
          from <- ours[[1]] + 4
          to <- length(calls) - 2
          calls <<- if (from <= to) calls[from:to] else list()
        }
      ),
      interrupt = function(condition) error <<- failure("Interrupted", "The cell was interrupted"),
      error = function(condition) error <<- describe(condition, calls)
    )
    # What the cell has begun to divert would take the output of later ones as well.
    while (sink.number() > 0) sink()
    sprintf('"result": [%s], "error": %s', result, error)
  }

  # A plot must not leave an Rplots.pdf at home.
  options(device = function(...) grDevices::pdf(NULL), warn = 0, width = 100)
  send('{"ready": true}')
  count <- 0
  suspendInterrupts(repeat {
    code <- receive()
    # One that came too late for the cell before is not for this one.
    tryCatch(allowInterrupts(Sys.sleep(0)), interrupt = function(condition) NULL)
    count <- count + 1
    reply <- run(code)
    flush(stdout())
    send(sprintf('{%s, "execution_count": %d}', reply, count))
  })
})
