"""`python -m zerosum`, as `torchrun -m zerosum` starts it: the command line."""

from zerosum.cli import main

if __name__ == "__main__":
    main()
