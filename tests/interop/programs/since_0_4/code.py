"""Runs code by the names of the first releases."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session


def run(code, language, *limit):
    done = session.code.run_code(code, language, *limit)
    return [done.success, done.result, done.error_message]


facts = {
    "python": run("print('grüße, 世界')", "python"),
    "python_assigns": run("kept = 6", "python"),
    "python_keeps": run("kept * 7", "python"),
    "python_fails": run("print('before')\n1 / 0", "python"),
    "python_times_out": run("while True: pass", "python", 1),
    "python_goes_on": run("print(kept)", "python"),
    "javascript": run("console.log('grüße, 世界')", "javascript"),
    "javascript_assigns": run("let kept = 6", "javascript"),
    "javascript_keeps": run("kept * 7", "JavaScript"),
    "javascript_fails": run("throw new Error('on purpose')", "javascript"),
    "json_text": run("print('{\"a\": 1}')", "python"),
    "unknown_language": run("puts 1", "ruby"),
}
session.delete()
facts["deleted_session"] = run("1", "python")

print(json.dumps(facts))
