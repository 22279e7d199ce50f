"""Runs code by the names that the later releases have, and reads their rich results."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session


def run(code, language, *limit):
    done = session.code.run(code, language, *limit)
    return [done.success, done.result, done.error_message]


facts = {
    "python": run("print('grüße, 世界')", "python"),
    "python_assigns": run("kept = 6", "python"),
    "python_keeps": run("kept * 7", "py"),
    "python_fails": run("print('before')\n1 / 0", "python"),
    "python_times_out": run("while True: pass", "python", 1),
    "python_goes_on": run("print(kept)", "python"),
    "javascript": run("console.log('grüße, 世界')", "javascript"),
    "javascript_assigns": run("let kept = 6", "javascript"),
    "javascript_keeps": run("kept * 7", "node"),
    "javascript_fails": run("throw new Error('on purpose')", "javascript"),
    "json_text": run("print('{\"a\": 1}')", "python"),
    "unknown_language": run("puts 1", "ruby"),
}

shown = """
import sys
print("out")
print("err", file=sys.stderr)
display({"text/html": "<b>bold</b>"}, raw=True)
42
"""
rich = session.code.run(shown, "python")
facts["logs"] = [rich.logs.stdout, rich.logs.stderr]
facts["results"] = [[item.text, item.html, item.is_main_result] for item in rich.results]
facts["count"] = rich.execution_count
failed = session.code.run("1 / 0", "python")
facts["traceback"] = "".join(failed.logs.stderr)

session.delete()
facts["deleted_session"] = run("1", "python")

print(json.dumps(facts))
