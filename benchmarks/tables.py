"""The tables that benchmarks/accuracy.py prints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks import peer
from benchmarks.running import Outcome
from benchmarks.scoring import LEVELS, Found, Scored, kind_of, matches, share
from benchmarks.simulator import KINDS, Label

Pair = tuple[Label, Outcome]


def sizes(ran: Sequence[Outcome]) -> str:
    """Return how large the tenants are and how long the program took."""
    if not ran:
        return "no tenants"
    records = sorted(one.records for one in ran)
    seconds = sorted(one.seconds for one in ran)
    return (
        f"records a tenant: {records[0]:,} to {records[-1]:,}, median {int(median(records)):,};"
        f" the program took {median(seconds):.2f} s (median), {seconds[-1]:.2f} s at most"
    )


def _hits(label: Label, one: Outcome) -> list[Scored]:
    return [hit for hit in one.found if matches(hit.found, label, one.families)]


def _table(title: str, header: str, rows: Iterable[str]) -> str:
    return "\n".join(["", title, header, *rows])


def _recall(pairs: Sequence[Pair]) -> tuple[int, int, int]:
    """Return how many labels can be seen, are found at all, and are found at likely or above."""
    seen = [(label, one) for label, one in pairs if label.observable]
    hits = [_hits(label, one) for label, one in seen]
    return len(seen), sum(map(bool, hits)), sum(any(h.found.firm for h in one) for one in hits)


def _onset(pairs: Sequence[Pair]) -> str:
    """Return by how many hours the onset is missed, the middle of all findings at likely."""
    errors = [
        abs((hit.found.first_seen - label.since).total_seconds()) / 3_600
        for label, one in pairs
        for hit in _hits(label, one)
        if hit.found.firm and label.kind != "explicit"
    ]
    return f"{median(errors):8.0f}" if errors else f"{'-':>8}"


def _labels(ran: Sequence[Outcome]) -> list[Pair]:
    return [(label, one) for one in ran for label in one.labels]


def kinds(ran: Sequence[Outcome]) -> str:
    """Return recall and precision for each class of signal apart."""
    rows, everything = [], _labels(ran)
    for kind in (*KINDS, "other"):
        pairs = [pair for pair in everything if pair[0].kind == kind]
        seen, possible, firm = _recall(pairs)
        claims = [f for one in ran for f in one.found if f.kind == kind and f.found.firm]
        right = sum(one.right for one in claims)
        over = sum(len(one.over) for out in ran for one in out.found if one.kind == kind)
        if pairs or claims:
            rows.append(
                f"{kind:10} {len(pairs):4} {share(possible, seen):>26} {share(firm, seen):>26}"
                f" {share(right, len(claims)):>26} {over:5}"
            )
    header = (
        f"{'class':10} {'all':>4} {'recall at possible':>26} {'recall at likely':>26}"
        f" {'precision at likely':>26} {'over':>5}"
    )
    title = (
        "By class of signal: labels, of those that the data can show the share found; over-claims"
    )
    return _table(title, header, rows)


def causes(ran: Sequence[Outcome]) -> str:
    """Return recall for each planted cause, and precision for each target that is named."""
    rows, groups = [], defaultdict(list)
    for label, one in _labels(ran):
        groups[label.kind, label.planted].append((label, one))
    for name, pairs in sorted(groups.items()):
        seen, possible, firm = _recall(pairs)
        blind = len(pairs) - seen
        early = sum(
            any(h.found.firm for h in _hits(label, one))
            for label, one in pairs
            if not label.observable
        )
        rows.append(
            f"{name[0]:10} {name[1]:42} {share(possible, seen):>26} {share(firm, seen):>26}"
            f" {_onset(pairs)} {early:5}/{blind}"
        )
    header = (
        f"{'class':10} {'planted':42} {'recall at possible':>26} {'recall at likely':>26}"
        f" {'onset ±h':>8} likely though not observable"
    )
    claims: dict[str, list[bool]] = defaultdict(list)
    for one in ran:
        for hit in one.found:
            if hit.found.firm:
                claims[hit.found.target].append(hit.right)
    named = [f"{name:42} {share(sum(r), len(r)):>26}" for name, r in sorted(claims.items())]
    first = _table("By planted cause", header, rows)
    return first + "\n" + _table("By what is named at likely or above: precision", "", named)


def overclaims(ran: Sequence[Outcome]) -> str:
    """Return what was claimed beyond what can honestly be said, and the false alarms."""
    over = Counter(
        (what, one.found.target) for out in ran for one in out.found for what in one.over
    )
    rows = [f"{count:4}  {what}: {target}" for (what, target), count in over.most_common()]
    claims = [(one, out) for out in ran for one in out.found if one.found.firm]
    rows += [_false(one.found, out) for one, out in claims if not one.right]
    return _table("Over-claims and false alarms at likely or above", "", rows or ["none"])


def _false(found: Found, one: Outcome) -> str:
    """Return where a false alarm stands, to look into it."""
    back = f", {one.task.weeks_back} weeks back" * bool(one.task.weeks_back)
    where = ", ".join(found.sites or found.ips[:3]) or "everywhere"
    return (
        f"  false: {found.confidence} {found.target} at {where}, {found.people} people; seed"
        f" {one.task.seed}{back}; planted {'+'.join(one.task.recipe.plants) or 'nothing'};"
        f" beside it {', '.join(one.task.recipe.distractors)}"
    )


def calibration(ran: Sequence[Outcome]) -> str:
    """Return how often each confidence is right, texts apart from patterns."""
    rows = []
    for level in LEVELS:
        cells = []
        for explicit in (True, False):
            found = [
                one.right
                for out in ran
                for one in out.found
                if one.found.confidence == level and one.found.explicit is explicit
            ]
            cells.append(f"{share(sum(found), len(found)):>30}")
        rows.append(f"{level:10} {' '.join(cells)}")
    header = f"{'':10} {'stated in words':>30} {'told by pattern':>30}"
    return _table("Calibration: share right of each confidence", header, rows)


def baseline(ran: Sequence[Outcome]) -> str:
    """Return the same shares for a failure filter with its top addresses and reasons."""
    rows = []
    for kind in KINDS:
        seen = [p for p in _labels(ran) if p[0].kind == kind and p[0].observable]
        hit = sum(peer.found(one.peer, label) for label, one in seen)
        rows.append(f"{kind:10} {share(hit, len(seen)):>26}")
    for what, fits in (("reasons", _is_reason), ("addresses", _is_address)):
        lines = [(row, one) for one in ran for row in one.peer if fits(row)]
        right = sum(peer.right(row, one.labels) for row, one in lines)
        rows.append(f"precision of {what}: {share(right, len(lines))}")
    title = "Baseline: failure filter, top 5 addresses and reasons met by 3 people; recall"
    return _table(title, "", rows)


def _is_reason(row: peer.Row) -> bool:
    return row.reason is not None


def _is_address(row: peer.Row) -> bool:
    return row.ip is not None


def clean(ran: Sequence[Outcome]) -> str:
    """Return the false alarms of healthy weeks."""
    alarms = [
        (hit.found, one)
        for one in ran
        for hit in one.found
        if hit.found.firm and not (hit.kind == "explicit" and hit.right)
    ]
    rows = [f"{len(ran)} weeks: {len(alarms)} findings at likely or above that no text states"]
    by_size = Counter(one.task.recipe.most_flows for one in ran)
    for size, weeks in sorted(by_size.items()):
        count = sum(one.task.recipe.most_flows == size for _, one in alarms)
        rows.append(f"up to {size:5} flows: {share(count, weeks)} a week")
    rows += [_false(found, one) for found, one in alarms]
    return _table("Clean weeks", "", rows)


def pairs(ran: Sequence[tuple[tuple[str, ...], Outcome]]) -> str:
    """Return what is said where causes are planted alone, in pairs, and with their rivals."""
    groups: dict[tuple[str, ...], list[Outcome]] = defaultdict(list)
    for mix, one in ran:
        groups[mix].append(one)
    rows = []
    for mix, group in groups.items():
        said = Counter(
            f"{hit.found.target}:{hit.found.confidence}"
            for one in group
            for hit in {(h.found.target, h.found.confidence): h for h in one.found}.values()
            if hit.kind != "explicit"
        )
        found = []
        for planted in sorted({label.planted for one in group for label in one.labels}):
            mine = [pair for pair in _labels(group) if pair[0].planted == planted]
            seen, possible, firm = _recall(mine)
            found.append(f"{planted} {firm}/{possible}/{seen}")
        wrong = sum(h.found.firm and not h.right for one in group for h in one.found)
        over = sum(len(h.over) for one in group for h in one.found)
        honest = "; ".join(sorted({_honest(one) for one in group} - {""}))
        rows.append(f"{' + '.join(mix)}: {len(group)} tenants, {wrong} false, {over} over-claims")
        rows += [f"    found likely/possible/observable: {'; '.join(found)}"]
        rows += [f"    said: {', '.join(f'{k} {n}' for k, n in said.most_common()) or 'nothing'}"]
        rows += [f"    not to be told apart by this data: {honest}"] * bool(honest)
    return _table("Headline causes alone, in pairs, with rivals", "", rows)


def _honest(one: Outcome) -> str:
    """Return the rivals that labels admit and findings list."""
    for label in one.labels:
        for hit in _hits(label, one):
            if label.rivals:
                told = set(hit.found.rivals) | {hit.found.cause}
                missing = set(label.rivals) - told
                listed = "all listed" if not missing else f"not listed: {', '.join(missing)}"
                return f"{label.target} ({listed})"
    return ""


def without(cut: str, whole: Sequence[Outcome], less: Sequence[Outcome]) -> str:
    """Return which findings rose when an input was removed (there must be none), and fell."""
    rose, fell, same = [], 0, 0
    for before, after in zip(whole, less, strict=True):
        old = [one.found for one in before.found]
        new = [one.found for one in after.found]
        for one in new:
            best = min((_rank(o) for o in old if _alike(one, o)), default=len(LEVELS))
            if _rank(one) < best:
                was = LEVELS[best] if best < len(LEVELS) else "not there"
                text = f"  seed {before.task.seed}: {one.target} {one.sites or one.ips}"
                rose.append(f"{text}: {was} → {one.confidence} ({kind_of(one, after.families)})")
        for o in old:
            best = min((_rank(one) for one in new if _alike(one, o)), default=len(LEVELS))
            fell += best > _rank(o)
            same += best == _rank(o)
    title = f"Without {cut}: {len(rose)} findings rose, {fell} fell, {same} stayed"
    return _table(title, "", rose)


def _rank(one: Found) -> int:
    return LEVELS.index(one.confidence)


def _alike(one: Found, other: Found) -> bool:
    """Say whether two findings are about the same; a place may lose its name with its context."""
    if one.target != other.target and one.cause != other.cause:
        return False
    if one.flows and other.flows:
        return 2 * len(one.flows & other.flows) >= min(len(one.flows), len(other.flows))
    here, there = {*one.sites, *one.ips}, {*other.sites, *other.ips}
    return bool(here & there) or not here or not there
