"""The browser that tests of pages run in: Debian's `chromium`, or Chrome."""

import shutil

import pytest

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not BROWSER, reason="there is no Chromium here")
