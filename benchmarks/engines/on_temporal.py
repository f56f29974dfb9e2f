"""No-op activities on a Temporal development server: `python on_temporal.py fan|chain COUNT`.

`temporal` has to be on the path. What is recorded lies in the server's memory. A workflow a task,
or one for each chain; a hundred at once.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

STAGES = 7
QUEUE = "nothing"
AT_ONCE = 100


@activity.defn  # type: ignore[untyped-decorator]
async def nothing(number: int) -> int:
    return number


@workflow.defn
class Chain:
    @workflow.run  # type: ignore[untyped-decorator]
    async def run(self, stages: int) -> int:
        number = 0
        for _ in range(stages):
            number = await workflow.execute_activity(
                nothing, number, start_to_close_timeout=timedelta(seconds=60)
            )
        return number


async def main() -> None:
    how, count = sys.argv[1], int(sys.argv[2])
    stages = STAGES if how == "chain" else 1
    places = asyncio.Semaphore(AT_ONCE)
    server = await WorkflowEnvironment.start_local(
        dev_server_existing_path=shutil.which("temporal")
    )
    async with (
        server,
        Worker(server.client, task_queue=QUEUE, workflows=[Chain], activities=[nothing]),
    ):

        async def one(number: int) -> None:
            async with places:
                await server.client.execute_workflow(
                    Chain.run, stages, id=f"chain-{number}", task_queue=QUEUE
                )

        await asyncio.gather(*(one(number) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(main())
