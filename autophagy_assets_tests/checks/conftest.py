"""Platforms for studies of their own, as in the assets' tests."""

from autophagy_assets_tests.assets.conftest import platform, platform_of

__all__ = ["platform", "platform_of"]
