// The process that evaluates Java cells: jshell's own engine, in this very process, so that what
// programs write goes to its standard output and `System.exit` ends it.

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.execution.LocalExecutionControl;
import jdk.jshell.spi.ExecutionControl;
import jdk.jshell.spi.ExecutionControlProvider;
import jdk.jshell.spi.ExecutionEnv;

class java_kernel {
  // What jshell itself imports at its start.
  private static final List<String> IMPORTS =
      List.of(
          "java.io", "java.math", "java.net", "java.nio.file", "java.util",
          "java.util.concurrent", "java.util.function", "java.util.regex", "java.util.stream");

  private static final String INTERRUPTED =
      "\"result\": [], \"error\": " + problem("Interrupted", "The cell was interrupted", "");
  // Tries, one each millisecond, until the thread of a snippet is there.
  private static final int TRIES = 200;

  private final JShell shell = JShell.builder().executionEngine(new Engine(), Map.of()).build();
  private final Object turn = new Object();
  private FileOutputStream replies;
  // The last cell that came, whether it is still to be replied to, and the thread that waits for a
  // snippet of it to end.
  private int cell;
  private boolean due;
  private Thread waiting;
  // The last cell that the agent has stopped: it may be one that is still to come.
  private int stopped = -1;

  public static void main(String[] arguments) throws IOException {
    // As on a terminal, Ctrl-C is for the cell and its child processes.
    sun.misc.Signal.handle(new sun.misc.Signal("INT"), signal -> {});
    new java_kernel().serve(arguments);
  }

  private void serve(String[] descriptors) throws IOException {
    for (String each : IMPORTS) shell.eval("import " + each + ".*;");
    try (var cells = new DataInputStream(new FileInputStream(path(descriptors[0])))) {
      replies = new FileOutputStream(path(descriptors[1]));
      var watcher = new Thread(() -> watch(path(descriptors[2])));
      watcher.setDaemon(true);
      watcher.start();
      send("{\"ready\": true}");
      for (int count = 1; ; count++) {
        byte[] request = new byte[cells.readInt()];
        cells.readFully(request);
        synchronized (turn) {
          cell = count;
          due = true;
        }
        reply(run(code(new String(request, StandardCharsets.UTF_8))));
      }
    } catch (EOFException end) {
      System.exit(0);
    }
  }

  private static String path(String descriptor) {
    return "/proc/self/fd/" + descriptor;
  }

  /** Stop the cell that the agent gives the number of. */
  private void watch(String path) {
    try (var numbers = new DataInputStream(new FileInputStream(path))) {
      while (true) stop(numbers.readInt());
    } catch (IOException | InterruptedException end) {
      // The agent has gone.
    }
  }

  private void stop(int number) throws IOException, InterruptedException {
    synchronized (turn) {
      stopped = number;
      // A snippet can't be stopped before its thread is there and waited for. To stop it again and
      // again instead would hit what it does to clean up.
      for (int tries = 0; tries < TRIES && isDue(number) && isStarting(); tries++) turn.wait(1);
      if (!isDue(number)) return;
      if (waiting != null) shell.stop();
      // The compiler can't be stopped: nobody has to wait for it, and what it makes never runs.
      else reply(INTERRUPTED);
    }
  }

  private boolean isDue(int number) {
    return due && number == cell;
  }

  private boolean isStarting() {
    return waiting != null && waiting.getState() != Thread.State.WAITING;
  }

  /** Reply to the cell, once. */
  private void reply(String reply) throws IOException {
    System.out.flush();
    System.err.flush();
    synchronized (turn) {
      if (due) send("{" + reply + ", \"execution_count\": " + cell + "}");
      due = false;
    }
  }

  private boolean isStopped() {
    synchronized (turn) {
      return stopped == cell;
    }
  }

  /** Makes what runs the snippets. */
  private final class Engine implements ExecutionControlProvider {
    @Override
    public String name() {
      return "cells";
    }

    @Override
    public ExecutionControl generate(ExecutionEnv environment, Map<String, String> parameters) {
      return new Execution();
    }
  }

  /** Runs snippets in this process, as long as their cell is not stopped. */
  private final class Execution extends LocalExecutionControl {
    @Override
    protected String invoke(Method snippet) throws Exception {
      synchronized (turn) {
        if (stopped == cell) throw new StoppedException();
        waiting = Thread.currentThread();
      }
      try {
        return super.invoke(snippet);
      } finally {
        synchronized (turn) {
          waiting = null;
        }
      }
    }
  }

  /** Evaluate a cell, one snippet after the other up to the first that fails. */
  private String run(String code) {
    String value = null;
    String error = null;
    String rest = code;
    while (error == null && !rest.isBlank() && !isStopped()) {
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
    }
    if (isStopped()) return INTERRUPTED;
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

  private void send(String text) throws IOException {
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
