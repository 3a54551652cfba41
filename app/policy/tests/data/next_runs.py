#!/usr/bin/env python3
"""Makes next_runs.json: when schedules come due across clock changes, calculated apart from the program.

    python3 next_runs.py

It knows nothing of the program but its documented rules: a time that does not exist runs at the first moment
after the gap, a time that comes twice runs at its first occurrence, once; a day that a month does not have is
left out; a cron line with both a day of the month and a day of the week runs on either. It walks through every
minute of the calendar and asks Python's zoneinfo for the offsets. The result is committed; make it again only
when the rules or the zones change.
"""

import json
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

ZONES = [
    "Europe/London",
    "Europe/Berlin",
    "Europe/Dublin",  # winter time is the exception here: the saving is negative
    "America/New_York",
    "America/Santiago",  # changes at midnight, to and from another day
    "Asia/Kathmandu",  # never changes; 45 minutes beside the hour
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Chatham",  # changes at 02:45
]
YEARS = [2026, 2027]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LATEST = datetime(YEARS[-1] + 2, 1, 1)


def local(instant, zone):
    return instant.astimezone(zone).replace(tzinfo=None)


def first_instant_from(wall, zone):
    """The first instant at which clocks show this wall time or a later one.

    Where the time exists, that is its (first) occurrence. In a gap it is the end of the gap, found to the second by
    bisection between two days before, when clocks do not show it yet, and two days after.
    """
    readings = [wall.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
    exists = [reading for reading in readings if local(reading, zone) == wall]
    if exists:
        return min(exists)
    low, high = wall.replace(tzinfo=timezone.utc) - 2 * DAY, wall.replace(tzinfo=timezone.utc) + 2 * DAY
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (low, middle) if local(middle, zone) >= wall else (middle, high)
    return high


def last_day(day):
    return (day + DAY).month != day.month


def cron_values(field, least, most, names=()):
    values = set()
    for part in field.split(","):
        base, _, step = part.partition("/")
        if base == "*":
            first, last = least, most
        else:
            first, _, last = base.partition("-")
            number = lambda text: names.index(text) + least if text in names else int(text)
            first, last = number(first), number(last or first)
        values.update(range(first, last + 1, int(step or 1)))
    return values


def cron_test(line):
    minute, hour, day, month, weekday = line.split()
    minutes, hours = cron_values(minute, 0, 59), cron_values(hour, 0, 23)
    days, months = cron_values(day, 1, 31), cron_values(month, 1, 12, MONTHS)
    weekdays = {number % 7 for number in cron_values(weekday, 0, 7, ["sun", *DAYS[:6]])}

    def right_day(wall):
        of_month, of_week = wall.day in days, wall.isoweekday() % 7 in weekdays
        if day == "*" or weekday == "*":
            return of_month and of_week
        return of_month or of_week

    return lambda wall: (
        wall.month in months and right_day(wall) and wall.hour in hours and wall.minute in minutes
    )


def test_of(schedule):
    """Whether a schedule names a wall time."""
    kind = schedule["kind"]
    if kind == "once":
        return lambda wall: wall == datetime.fromisoformat(schedule["at"])
    if kind == "cron":
        return cron_test(schedule["line"])
    at = time.fromisoformat(schedule["time"])
    right_time = lambda wall: wall.time() == at
    if kind == "daily":
        return right_time
    if kind == "weekly":
        return lambda wall: right_time(wall) and DAYS[wall.weekday()] in schedule["days"]
    if schedule["day"] == "last":
        return lambda wall: right_time(wall) and last_day(wall.date())
    return lambda wall: right_time(wall) and wall.day == schedule["day"]["day"]


def next_runs(schedule, zone, after, count):
    """Every minute of the calendar from a day before on, as long as there are not enough."""
    named = test_of(schedule)
    at = schedule.get("time")
    wall = local(after, zone).replace(second=0) - DAY
    step = MINUTE
    if at:  # one time of day: the other minutes need not be looked at
        wall, step = datetime.combine(wall.date(), time.fromisoformat(at)), DAY
    found = []
    while len(found) < count and wall < LATEST:
        if named(wall):
            instant = first_instant_from(wall, zone)
            if instant > after and instant not in found:
                found.append(instant)
        wall += step
        if schedule["kind"] == "once" and wall > datetime.fromisoformat(schedule["at"]):
            break
    return found


def changes(zone):
    """The instants of the years at which clocks are changed, to the second."""
    found = []
    low = datetime(YEARS[0], 1, 1, tzinfo=timezone.utc)
    while low.year <= YEARS[-1]:
        high = low + timedelta(hours=6)
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            before, after = low, high
            while after - before > timedelta(seconds=1):
                middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                before, after = (middle, after) if same else (before, middle)
            found.append(after)
        low = high
    return found


def schedules(zone, change):
    """Schedules whose times lie in the gap or the overlap, at its edges and outside."""
    before = local(change - timedelta(seconds=1), zone) + timedelta(seconds=1)
    after = local(change, zone)
    first, last = min(before, after), max(before, after)
    middle = first + (last - first) / 2
    inside = [first, middle, last - MINUTE, last, first - MINUTE] if last > first else [datetime(change.year, 3, 29, 1, 30)]
    for wall in inside:
        yield {"kind": "daily", "time": wall.strftime("%H:%M:%S")}
        yield {"kind": "once", "at": wall.isoformat()}
    when = inside[min(1, len(inside) - 1)]
    at = when.strftime("%H:%M:%S")
    yield {"kind": "daily", "time": "12:00:00"}
    yield {"kind": "weekly", "days": [DAYS[when.weekday()]], "time": at}
    yield {"kind": "weekly", "days": ["wed", "sun"], "time": "03:15:00"}
    yield {"kind": "monthly", "day": {"day": when.day}, "time": at}
    yield {"kind": "monthly", "day": {"day": 31}, "time": at}
    yield {"kind": "monthly", "day": "last", "time": at}
    yield {"kind": "cron", "line": f"{when.minute} {when.hour} * * *"}
    yield {"kind": "cron", "line": "*/15 0-3 * * *"}
    yield {"kind": "cron", "line": "* * * * *"}
    yield {"kind": "cron", "line": f"{when.minute} {when.hour} 1,15 * sun"}
    yield {"kind": "cron", "line": f"5 */6 * {MONTHS[when.month - 1]} mon-fri"}


def shown(instant, zone):
    return instant.astimezone(zone).isoformat()


def cases():
    for name in ZONES:
        zone = ZoneInfo(name)
        of_zone = changes(zone) or [datetime(year, month, 29, 1, tzinfo=timezone.utc) for year in YEARS for month in (3, 10)]
        assert len(of_zone) == 2 * len(YEARS), name
        for change in of_zone:
            for schedule in schedules(zone, change):
                for after, count in [(change - timedelta(hours=30), 4), (change + timedelta(minutes=10), 2)]:
                    found = [shown(instant, zone) for instant in next_runs(schedule, zone, after, count)]
                    yield {"zone": name, "schedule": schedule, "after": after.strftime("%Y-%m-%dT%H:%M:%SZ"), "next": found}


def version():
    for folder in TZPATH:
        rules = Path(folder, "tzdata.zi")
        if rules.exists():
            return rules.read_text(encoding="utf-8").split(maxsplit=3)[2]
    return "unknown"


def main():
    lines = [json.dumps(case, separators=(",", ":")) for case in cases()]
    text = f'{{"zones":{json.dumps(version())},"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
