"""The quickstart in the async colour; `anyio.run(main, backend="trio")` runs it on trio.

AGB_ENDPOINT=local python examples/quickstart_async.py
"""

import anyio

from agb import AsyncAGB
from agb.session_params import CreateSessionParams


async def main() -> None:
    async with AsyncAGB() as agb:
        result = await agb.create(CreateSessionParams(image_id="agb-code-space-1"))
        if not result.success:
            print(f"Session creation failed: {result.error_message}")
            return

        async with result.session as session:
            code_result = await session.code.run_code("print('Hello World')", "python")
            if code_result.success:
                print(f"Code output: {code_result.result}")

            command_result = await session.command.execute_command("ls -la")
            if command_result.success:
                print(f"Command output: {command_result.output}")

            await session.file_system.write_file("/tmp/hello.txt", "Hello from a file")
            file_result = await session.file_system.read_file("/tmp/hello.txt")
            if file_result.success:
                print(f"File content: {file_result.content}")


if __name__ == "__main__":
    anyio.run(main)
