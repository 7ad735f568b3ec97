"""Any event, any answer, any command: hypothesis strategies for everything that a journal may hold."""

from __future__ import annotations

from hypothesis import strategies as st

from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Counts,
    Finish,
    Match,
    Measure,
    Mirror,
    Promote,
    Restore,
    SetExperiment,
    SetScale,
    SetWeight,
    Switch,
    Text,
    Update,
)
from sim.policy.events import (
    Absent,
    Answered,
    BatchesDone,
    Event,
    ExperimentReady,
    Failed,
    Human,
    Interrupted,
    Measured,
    NewRevision,
    NotANumber,
    PodsEnded,
    PodsReady,
    Resized,
    Started,
    Terminated,
    Value,
    WeightIs,
    Woke,
)
from sim.policy.judges.base import Arm, Truth, Window

ACTIONS = ("promote", "promote-full", "abort", "retry", "pause", "resume")

_text = st.text(max_size=12)
_int = st.integers(0, 99)
_float = st.floats(allow_nan=False)
_scalar = st.one_of(st.none(), st.booleans(), st.integers(), _float, _text)
_plain = st.recursive(
    _scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(_text, inner, max_size=3),
    ),
    max_leaves=6,
)
_arm = st.builds(
    Arm,
    st.integers(50, 99),
    st.integers(0, 50),
    st.tuples(_int, _int),
    st.just((("latency", (0.5, 1.5)),)),
)
_window = st.builds(Window, _float, _float, st.floats(0, 1), _arm, st.one_of(st.none(), _arm), st.just((0.1, 0.5)))

answers = st.one_of(
    st.builds(Value, st.one_of(_plain, _window)),
    st.builds(Absent, _text),
    st.just(NotANumber()),
    st.builds(Failed, _text),
)

events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Started, _int, _int, _int, _int, st.one_of(st.none(), st.builds(Truth, st.booleans()))),
    st.just(Woke()),
    st.builds(Measured, _int, answers),
    st.builds(PodsReady, _int, _int, _int, _int),
    st.builds(ExperimentReady, _int, _int),
    st.builds(PodsEnded, _int, st.one_of(st.none(), _float), _int),
    st.builds(BatchesDone, _int, _int),
    st.builds(WeightIs, _float),
    st.builds(Answered, _text, st.booleans()),
    st.builds(Human, st.sampled_from(ACTIONS)),
    st.builds(Interrupted, _text),
    st.builds(Terminated, _text),
    st.builds(NewRevision, _int),
    st.builds(Resized, _int),
)

_query = st.one_of(st.builds(Counts, _float, st.tuples(_text)), st.builds(Text, _text, _text))

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(SetWeight, _float),
    st.builds(SetScale, _int, _int, _int, _float),
    st.builds(SetExperiment, _int, _int, _float),
    st.builds(
        Apply,
        _int,
        _int,
        _int,
        _float,
        st.booleans(),
        _int,
        st.one_of(st.none(), _int),
        st.one_of(st.none(), _int),
        st.one_of(st.none(), st.tuples(_int, _int)),
        st.booleans(),
    ),
    st.builds(Update, _int, _int, _float, st.booleans(), st.booleans()),
    st.builds(Match, st.tuples(_text)),
    st.builds(Mirror, _float),
    st.builds(Measure, _int, _text, _text, _query, _text),
    st.builds(AskGate, _text, _text),
    st.builds(Switch, _int, _int),
    st.builds(Promote, _int),
    st.just(Restore()),
    st.builds(Finish, st.sampled_from(("promoted", "aborted", "inconclusive")), _text),
)
