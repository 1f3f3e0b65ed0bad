#!/usr/bin/env python3
"""Makes the pictures of docs/images/: screenshots.py MUSETALKD CLIP DIR"""
import pathlib
import sys

from browser import Browser
from server import Server

PROGRAM, CLIP, DIR = sys.argv[1:4]


def shot(browser, name, seconds=0):
    # Lines of figures need some seconds to be lines.
    if seconds:
        browser.driver.set_script_timeout(seconds + 30)
        browser.driver.execute_async_script("setTimeout(arguments[1], arguments[0] * 1000)", seconds)
    pathlib.Path(DIR, name).write_bytes(browser.driver.get_screenshot_as_png())


def main():
    server = Server(PROGRAM).start()
    browser = Browser()
    try:
        for name in ("anna", "teacher-li", "studio-2"):
            server.upload(name, CLIP, tutor_id="t17", wait=60)
        try:
            server.upload("notes", __file__)
        except Exception:
            pass
        browser.open(f"{server.url}/console")
        for name in ("ben", "carla", "maria"):
            server.upload(name, CLIP)
        shot(browser, "console_overview.png", 12)
        browser.look_like(dark=True)
        browser.open(f"{server.url}/console#/actors")
        shot(browser, "console_actors_dark.png", 3)
        browser.look_like(390, 844, phone=True)
        browser.open(f"{server.url}/console")
        shot(browser, "console_phone.png", 4)
    finally:
        browser.quit()
        server.close()


main()
