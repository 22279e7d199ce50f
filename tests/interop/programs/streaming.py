"""Streams code by callbacks, as release 0.12 can."""

import json

from agb import AGB
from agb.session_params import CreateSessionParams

facts = {}
agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session


def stream(code, **more):
    told = {"out": [], "err": [], "errors": []}
    result = session.code.run(
        code,
        "python",
        stream_beta=True,
        on_stdout=told["out"].append,
        on_stderr=told["err"].append,
        on_error=told["errors"].append,
        **more,
    )
    return told, result


told, result = stream(
    "import sys\nfor i in range(3): print(i)\nsys.stderr.write('err\\n')\n"
    "from IPython.display import HTML\ndisplay(HTML('<b>bold</b>'))\n40 + 2"
)
facts["streams"] = ["".join(told["out"]), "".join(told["err"]), told["errors"]]
facts["result"] = [result.success, result.error_message, result.result]
facts["logs"] = ["".join(result.logs.stdout), "".join(result.logs.stderr)]
facts["shown"] = [[item.text, item.html, item.is_main_result] for item in result.results]
facts["counted"] = [result.execution_count, result.execution_time > 0]

told, result = stream("print('before')\n1 / 0")
facts["failed"] = [result.success, result.error_message, "".join(told["out"])]
facts["errors"] = [error["message"] for error in told["errors"]]
facts["traceback"] = "".join(told["err"])

told, result = stream("kept = 1\nprint('begun')\nwhile True: pass", timeout_s=1)
facts["late"] = [result.success, result.error_message, "".join(told["out"])]
facts["kept"] = session.code.run("kept", "python").result

told, result = stream("print('é' * 100_000)")
facts["long"] = "".join(told["out"]) == "é" * 100_000 + "\n"
# No address of a direct route: everything else goes on by the API.
facts["link_url"] = session.link_url
facts["command"] = session.command.execute("echo ok").output

session.delete()
told, result = stream("1")
facts["deleted"] = [result.success, bool(result.error_message)]
print(json.dumps(facts))
