"""Record cases on a cluster with the controllers: `python -m tests.golden.record KUBECONFIG FOLDER...` (four at a time).

Writes FOLDER/history.json. With SEATRIAL_RAW=FOLDER what was seen is kept there too, to be told again without a cluster.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from pathlib import Path

from lightkube import KubeConfig

from real.controllers.answers import Answers
from real.controllers.case import Case
from real.controllers.recorder import record
from real.controllers.tell import tell
from real.docker.engine import bridge

AT_A_TIME = 4


async def main(kubeconfig: Path, folders: list[Path]) -> None:
    room = asyncio.Semaphore(AT_A_TIME)
    with Answers(bridge("kind")) as answers:
        await asyncio.gather(*(_one(room, kubeconfig, answers, folder) for folder in folders))


async def _one(room: asyncio.Semaphore, kubeconfig: Path, answers: Answers, folder: Path) -> None:
    async with room:
        try:
            recording = await record(Case.read(folder), KubeConfig.from_file(kubeconfig).get(), answers)
        except Exception as error:
            print(f"{folder.name}: {type(error).__name__} {error}", flush=True)
            return
    raw = os.environ.get("SEATRIAL_RAW")
    if raw:
        (Path(raw) / folder.name).write_bytes(pickle.dumps(recording))
    history = tell(recording)
    history.write(folder / "history.json")
    print(f"{folder.name}: {len(history.entries)} entries", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]]))
