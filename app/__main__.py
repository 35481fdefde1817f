"""The command `mysapk`, also `python -m app`."""

import gc


def main() -> None:
    # What a start makes stays. To look for garbage among it would take a sixth of the start, so everything is
    # imported after this line. app/command_line.py looks again when the start is over.
    gc.disable()
    from app.command_line import mysapk

    mysapk()


if __name__ == "__main__":
    main()
