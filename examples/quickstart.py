"""Create a session, use each of its modules, and delete it.

AGB_ENDPOINT=local python examples/quickstart.py
"""

from agb import AGB
from agb.session_params import CreateSessionParams


def main() -> None:
    agb = AGB()
    result = agb.create(CreateSessionParams(image_id="agb-code-space-1"))
    if not result.success:
        print(f"Session creation failed: {result.error_message}")
        if result.request_id:
            print(f"Request id: {result.request_id}")
        return

    session = result.session
    try:
        code_result = session.code.run_code("print('Hello World')", "python")
        if code_result.success:
            print(f"Code output: {code_result.result}")

        command_result = session.command.execute_command("ls -la")
        if command_result.success:
            print(f"Command output: {command_result.output}")

        session.file_system.write_file("/tmp/hello.txt", "Hello from a file")
        file_result = session.file_system.read_file("/tmp/hello.txt")
        if file_result.success:
            print(f"File content: {file_result.content}")

        info = session.info()
        if info.success:
            print(f"Session id: {info.data['session_id']}")
    finally:
        deleted = session.delete()
        print(f"Deleted: {deleted.success}")


if __name__ == "__main__":
    main()
