"""The API server and the rollout's own driver (faults.md section 2.4)."""

from __future__ import annotations

from sim.faults.kind import Kind, kind, parameter

KINDS: tuple[Kind, ...] = (
    kind(
        "api.error",
        "pipeline",
        parameter(
            "code", "word", "the HTTP status", required=True, choices=("401", "403", "429", "500", "502", "503", "504")
        ),
        parameter("p", "ratio", "probability per call", required=True),
        parameter("retry_after_s", "s", "the Retry-After header", join="same"),
        simulated="a call fails and is not applied",
        real="faulty API transport",
        undo="off",
    ),
    kind(
        "api.ambiguous",
        "pipeline",
        parameter("p", "ratio", "probability per call", required=True),
        parameter("applied", "ratio", "probability that it was applied", 0.5, join="same"),
        simulated="a call times out, and was applied or not",
        real="faulty API transport",
        undo="off",
    ),
    kind(
        "api.conflict",
        "pipeline",
        parameter("p", "ratio", "probability per call", required=True),
        simulated="a call is answered 409",
        real="faulty API transport, or a rival writer",
        undo="off",
    ),
    kind(
        "api.gone",
        "pipeline",
        parameter("p", "ratio", "probability per watch", required=True),
        simulated="a watch is answered 410: list again",
        real="faulty API transport",
        undo="off",
    ),
    kind(
        "api.watch",
        "pipeline",
        parameter(
            "mode", "word", "what happens to an event", required=True, choices=("drop", "duplicate", "reorder", "late")
        ),
        parameter("p", "ratio", "probability per event", required=True),
        simulated="events of a watch are lost, doubled, swapped or late",
        real="faulty API transport",
        undo="off",
    ),
    kind(
        "api.stale_list",
        "pipeline",
        parameter("age_s", "s", "age of the list", required=True),
        simulated="a list is answered from the past",
        real="faulty API transport",
        undo="off",
    ),
    kind(
        "api.rival_writer",
        "pipeline",
        parameter("every_s", "s", "how often the rival writes", required=True, low=0.1, join="same"),
        simulated="another manager edits the object",
        real="a thread that edits",
        undo="stop",
    ),
    kind(
        "driver.crash",
        "pipeline",
        parameter("at_call", "count", "die at this call of the API", simulates=(None,)),
        parameter("at_record", "count", "die at this record of the journal", simulates=(None,)),
        simulated="the controller is down and sees nothing; its process state is lost, its journal is kept",
        real="SIGKILL of the owned child",
        undo="recover",
        instant=True,
        modelled=True,
    ),
    kind(
        "driver.pause",
        "pipeline",
        parameter("pause_s", "s", "how long it stands still", required=True),
        simulated="the controller stands still for longer than its lease: a second one may take over",
        real="SIGSTOP, SIGCONT",
        undo="SIGCONT",
    ),
    kind(
        "driver.second", "pipeline", simulated="two drivers, one epoch", real="start second child", undo="stop by pid"
    ),
    kind(
        "driver.journal",
        "pipeline",
        parameter(
            "mode",
            "word",
            "what happens to the journal",
            required=True,
            choices=("torn_tail", "disk_full", "fsync_error", "readonly"),
        ),
        simulated="writing the journal fails",
        real="ulimit, or a read-only directory",
    ),
)
