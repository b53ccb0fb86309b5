"""What ends a command early: one message for the user and an exit code."""

from __future__ import annotations


class MeridianError(Exception):
    """The answer is no: something was refused, or did not work. The message says what to do. Exit code 1."""

    exit_code = 1


class UsageError(MeridianError):
    """Wrong usage, configuration or surroundings: nothing was begun. Exit code 2."""

    exit_code = 2
