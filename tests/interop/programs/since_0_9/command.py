"""Runs commands by the names that the later releases have."""

import json

from agb import AGB
from agb.session import Session
from agb.session_params import CreateSessionParams

agb = AGB()
session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session


def run(command, *limit, **more):
    done = session.command.execute(command, *limit, **more)
    return [done.success, done.output, done.error_message]


facts = {
    "text": run("echo 'grüße, 世界'"),
    "both_streams": run("echo out; echo err >&2"),
    "no_output": run("true"),
    "json_text": run("echo '{\"a\": 1}'"),
    "exit_3": run("echo before; exit 3"),
    "silent_failure": run("false"),
    "times_out": run("sleep 60", 300),
    "directory": run("cd /tmp; pwd"),
    "directory_after": run("pwd"),
}
facts["given_directory"] = run("pwd", cwd="/tmp")
facts["given_variables"] = run('echo "$A"', envs={"A": "ä b"})
failed = session.command.execute("echo out; echo err >&2; exit 3")
facts["apart"] = [failed.exit_code, failed.stdout, failed.stderr]
facts["codes"] = [session.command.execute(command).exit_code for command in ("true", "false")]

impostor = Session(AGB(api_key="not-the-key"), session.session_id)
facts["wrong_key"] = impostor.command.execute("true").success

session.delete()
facts["deleted_session"] = run("true")

print(json.dumps(facts))
