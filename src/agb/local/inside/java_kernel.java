// The process that evaluates Java cells: jshell's own engine, in this very process, so that what
// programs write goes to its standard output and `System.exit` ends it.

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;

class java_kernel {
  // What jshell itself imports at its start.
  private static final List<String> IMPORTS =
      List.of(
          "java.io", "java.math", "java.net", "java.nio.file", "java.util",
          "java.util.concurrent", "java.util.function", "java.util.regex", "java.util.stream");

  private final JShell shell = JShell.builder().executionEngine("local").build();
  private final Object turn = new Object();
  private int running;
  private boolean interrupted;

  public static void main(String[] arguments) throws IOException {
    // As on a terminal, Ctrl-C is for the cell and its child processes.
    sun.misc.Signal.handle(new sun.misc.Signal("INT"), signal -> {});
    new java_kernel().serve(arguments);
  }

  private void serve(String[] descriptors) throws IOException {
    for (String each : IMPORTS) shell.eval("import " + each + ".*;");
    try (var cells = new DataInputStream(new FileInputStream(path(descriptors[0])));
        var replies = new FileOutputStream(path(descriptors[1]))) {
      var watcher = new Thread(() -> watch(path(descriptors[2])));
      watcher.setDaemon(true);
      watcher.start();
      send(replies, "{\"ready\": true}");
      for (int count = 1; ; count++) {
        byte[] request = new byte[cells.readInt()];
        cells.readFully(request);
        String reply = run(code(new String(request, StandardCharsets.UTF_8)), count);
        System.out.flush();
        System.err.flush();
        send(replies, "{" + reply + ", \"execution_count\": " + count + "}");
      }
    } catch (EOFException end) {
      System.exit(0);
    }
  }

  private static String path(String descriptor) {
    return "/proc/self/fd/" + descriptor;
  }

  /** Stop the cell that runs, when the agent says its number. */
  private void watch(String path) {
    try (var numbers = new DataInputStream(new FileInputStream(path))) {
      while (true) {
        int number = numbers.readInt();
        synchronized (turn) {
          if (number != running) continue;
          interrupted = true;
          shell.stop();
        }
      }
    } catch (IOException end) {
      // The agent has gone.
    }
  }

  /** Evaluate a cell, one snippet after the other up to the first that fails. */
  private String run(String code, int count) {
    synchronized (turn) {
      running = count;
      interrupted = false;
    }
    String value = null;
    String error = null;
    String rest = code;
    while (error == null && !rest.isBlank()) {
      var next = shell.sourceCodeAnalysis().analyzeCompletion(rest);
      String source = next.source();
      if (next.completeness() == SourceCodeAnalysis.Completeness.EMPTY) break;
      if (!next.completeness().isComplete() || source == null) source = rest;
      rest = source == rest ? "" : next.remaining();
      value = null;
      for (SnippetEvent event : shell.eval(source)) {
        if (event.causeSnippet() != null) continue;
        error = failure(event);
        if (error == null && shows(event.snippet())) value = event.value();
      }
      synchronized (turn) {
        if (interrupted) error = problem("Interrupted", "The cell was interrupted", "");
      }
    }
    synchronized (turn) {
      running = 0;
    }
    String shown =
        value == null || value.isEmpty() || error != null
            ? ""
            : "{\"text/plain\": " + quoted(value) + ", \"isMainResult\": true}";
    return "\"result\": [" + shown + "], \"error\": " + error;
  }

  /** Whether a snippet is an expression, and neither a declaration nor an assignment. */
  private static boolean shows(Snippet snippet) {
    return switch (snippet.subKind()) {
      case TEMP_VAR_EXPRESSION_SUBKIND, VAR_VALUE_SUBKIND, OTHER_EXPRESSION_SUBKIND -> true;
      default -> false;
    };
  }

  private String failure(SnippetEvent event) {
    if (event.exception() != null) return failure(event.exception());
    if (event.status() != Snippet.Status.REJECTED) return null;
    var text = new StringBuilder();
    shell
        .diagnostics(event.snippet())
        .forEach(each -> text.append(each.getMessage(Locale.ENGLISH)).append('\n'));
    String message = text.isEmpty() ? "this is not a whole snippet" : text.toString().strip();
    return problem("CompilationError", message, message + "\n" + event.snippet().source());
  }

  private String failure(JShellException exception) {
    String name = exception.getClass().getSimpleName();
    if (exception instanceof EvalException raised) name = raised.getExceptionClassName();
    String message = exception.getMessage() == null ? "" : exception.getMessage();
    var trace = new StringBuilder(name + ": " + message);
    for (var frame : exception.getStackTrace()) {
      if (frame.getClassName().startsWith("jdk.jshell")) break;
      trace.append("\n    at ").append(frame);
    }
    return problem(name.substring(name.lastIndexOf('.') + 1), message, trace.toString());
  }

  private static String problem(String name, String value, String traceback) {
    return String.format(
        "{\"name\": %s, \"value\": %s, \"traceback\": %s}",
        quoted(name), quoted(value), quoted(traceback));
  }

  private static void send(FileOutputStream replies, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    var frame = new ByteArrayOutputStream();
    new java.io.DataOutputStream(frame).writeInt(body.length);
    frame.write(body);
    replies.write(frame.toByteArray());
  }

  /** Take the source from a request; what the agent writes has it first. */
  private static String code(String request) {
    int at = request.indexOf('"', request.indexOf("\"code\"") + 6) + 1;
    var text = new StringBuilder();
    for (; request.charAt(at) != '"'; at++) {
      char each = request.charAt(at);
      if (each == '\\') {
        each = request.charAt(++at);
        switch (each) {
          case 'n' -> each = '\n';
          case 'r' -> each = '\r';
          case 't' -> each = '\t';
          case 'b' -> each = '\b';
          case 'f' -> each = '\f';
          case 'u' -> {
            each = (char) Integer.parseInt(request.substring(at + 1, at + 5), 16);
            at += 4;
          }
          default -> {}
        }
      }
      text.append(each);
    }
    return text.toString();
  }

  /** Write a text as JSON; ASCII only, so that half a surrogate pair survives, too. */
  private static String quoted(String text) {
    var json = new StringBuilder("\"");
    for (char each : text.toCharArray()) {
      if (each == '"' || each == '\\') json.append('\\').append(each);
      else if (each >= ' ' && each <= '~') json.append(each);
      else json.append(String.format("\\u%04x", (int) each));
    }
    return json.append('"').toString();
  }
}
