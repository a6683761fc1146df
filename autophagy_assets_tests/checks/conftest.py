"""The finished study of the assets' tests, and platforms for studies of their own."""

from autophagy_assets_tests.assets.conftest import finished, platform, platform_of

__all__ = ["finished", "platform", "platform_of"]
