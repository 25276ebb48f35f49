"""What the checks of the chart have in common."""


class Fault(Exception):
    """Something that is not true of the chart."""


def expect(condition, message):
    if not condition:
        raise Fault(message)
