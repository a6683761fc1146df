"""``python -m autophagy_assets.cli``."""

from autophagy_assets.cli.main import main

main()
