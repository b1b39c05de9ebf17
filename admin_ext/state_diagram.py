"""The session's states drawn, from the core's own table of edges; decides nothing."""

from dataclasses import dataclass
from typing import Any

from upload.legal_hold import DISPOSED
from upload.states import EDGES, SessionStatus

_S = SessionStatus
WIDTH, HEIGHT = 150, 34
PLACES: dict[SessionStatus, tuple[int, int]] = {
    _S.CREATED: (80, 30),
    _S.UPLOADING: (290, 30),
    _S.COPYING_IN_PROGRESS: (500, 30),
    _S.STORED: (710, 30),
    _S.EXPIRED: (80, 150),
    _S.REMOVING_IN_PROGRESS: (290, 150),
    _S.COPYING_FAILED: (500, 150),
}
APART = 6  # between the two arrows of a pair


@dataclass(frozen=True, slots=True)
class Box:
    label: str
    x: int
    y: int
    present: bool
    reachable: bool

    @property
    def left(self) -> int:
        return self.x - WIDTH // 2

    @property
    def top(self) -> int:
        return self.y - HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    path: str
    leaves: bool  # from the present state


def diagram(session: Any) -> dict[str, Any]:
    """Return boxes and arrows; numbers are those of the drawing's own units.

    Under a legal hold no arrow leads to where files go.
    """
    here = SessionStatus(session.status)
    ahead = {edge.target for edge in EDGES if edge.origin == here}
    if session.hold_count:
        ahead -= DISPOSED
    boxes = [
        Box(str(state.label), x, y, state == here, state in ahead)
        for state, (x, y) in PLACES.items()
    ]
    arrows = [
        Arrow(
            _path(edge.origin, edge.target),
            edge.origin == here and edge.target in ahead,
        )
        for edge in EDGES
    ]
    return {
        "boxes": boxes,
        "arrows": sorted(arrows, key=lambda arrow: arrow.leaves),
        "box": {"width": WIDTH, "height": HEIGHT},
        "present": here.label,
        "ahead": [state.label for state in PLACES if state in ahead],
    }


def _path(origin: SessionStatus, target: SessionStatus) -> str:
    """Return a line from border to border, beside its counterpart if it has one."""
    (x1, y1), (x2, y2) = PLACES[origin], PLACES[target]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    across, down = (x2 - x1) / length, (y2 - y1) / length
    paired = any(e.origin == target and e.target == origin for e in EDGES)
    shift = APART if paired else 0
    reach = min(
        WIDTH / 2 / abs(across) if across else 1e9,
        HEIGHT / 2 / abs(down) if down else 1e9,
    )
    ends = [
        (x1 + across * reach, y1 + down * reach),
        (x2 - across * (reach + 3), y2 - down * (reach + 3)),
    ]
    points = [f"{x - down * shift:.1f} {y + across * shift:.1f}" for x, y in ends]
    return f"M{points[0]} L{points[1]}"
