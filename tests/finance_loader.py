"""`python -m tests.finance_loader URL FILE_ID PARTS`: loads a file in a process of its own.

When so many parts are loaded it says so on stdout and stands still, to be killed."""

import asyncio
import sys
from itertools import count

from finance.inbox.load import load
from finance.process.process import ProcessKind, ReconciliationProcess
from ledger import Ledger
from tests.finance_context import finance_context

PROCESS = ReconciliationProcess(id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay")


async def main(url: str, file_id: str, parts: int) -> None:
    ledger = await Ledger.open(url)
    context = await finance_context(ledger, url, (PROCESS,))
    read = count(1)

    def stop(_done: int, _size: int) -> None:
        if next(read) == parts:
            print("here", flush=True)
            sys.stdin.read()

    await load(context, file_id, stop)
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
