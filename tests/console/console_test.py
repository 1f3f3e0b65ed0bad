#!/usr/bin/env python3
"""The web console in a real browser: console_test.py MUSETALKD CLIP"""
import pathlib
import sys
import unittest

from browser import Browser
from server import Server

PROGRAM, CLIP = sys.argv[1:3]
HOSTILE = '"><img src=x onerror=hacked()><script>hacked()</script>\u202e'


class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM).start()
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.server.close()

    def setUp(self):
        self.browser.complaints()

    def open(self, page=""):
        self.browser.open(f"{self.server.url}/console#/{page}")

    def wait_for_text(self, css, part):
        self.browser.until(lambda: part in self.browser.text(css), f"{part!r} in {css}")

    def test_upload_until_the_avatar_is_there(self):
        self.open("avatars")
        self.browser.find("#video").send_keys(CLIP)
        name = self.browser.find("input[name=avatar_id]")
        self.assertEqual(name.get_attribute("value"), pathlib.Path(CLIP).stem)
        name.clear()
        name.send_keys("anna")
        self.browser.find("button[type=submit]").click()
        self.browser.find("a.button[href='#/avatars/anna']").click()
        self.wait_for_text("td.mono", "v000001")
        self.wait_for_text("h1", "anna")
        self.browser.until(lambda: self.browser.run("return document.querySelector('video').readyState") >= 1,
                           "the video's head is loaded")
        self.browser.until(lambda: self.browser.run("return document.querySelector('.media img').naturalWidth") > 0,
                           "the contact sheet is shown")
        self.assertEqual(self.browser.complaints(), [])

    def test_what_others_do_is_seen_at_once(self):
        self.open("jobs")
        self.wait_for_text(".link", "live")
        self.server.upload("live-one", CLIP)
        self.wait_for_text(".job", "live-one")
        row = ("return [...document.querySelectorAll('.job')].find((x) => x.textContent.includes('live-one'))"
               "?.dataset.state")
        self.browser.until(lambda: self.browser.run(row) == "completed", "the job is shown as completed")
        self.browser.find(".job .id").click()
        self.wait_for_text(".timeline", "completed")
        self.wait_for_text("table.plain", "prepare")

    def test_comes_back_after_a_restart(self):
        self.open("")
        self.wait_for_text(".link", "live")
        self.wait_for_text(".verdict h1", "well")
        self.server.stop()
        self.wait_for_text(".link", "lost")
        self.wait_for_text(".verdict", "No connection")
        self.server.start()
        self.wait_for_text(".link", "live")
        self.server.upload("after-restart", CLIP)
        self.wait_for_text(".job", "after-restart")

    def test_a_hostile_name_runs_nothing(self):
        self.open("avatars")
        self.browser.run("window.hacked = () => { window.wasHacked = true; }")
        self.server.upload("hostile", CLIP, tutor_id=HOSTILE.replace("\u202e", ""), wait=60)
        self.wait_for_text(".card", "onerror=hacked()")
        self.browser.go("#/avatars/hostile")
        self.wait_for_text("#main .dim", "<script>hacked()</script>")
        self.browser.go("#/actors/%3Cimg%20src=x%20onerror=hacked()%3E")
        self.wait_for_text(".crumbs", "<img src=x onerror=hacked()>")
        self.assertIsNone(self.browser.run("return window.wasHacked ?? null"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('main img[src=x], main script').length"), 0)

    def test_no_script_but_the_consoles_own_can_run(self):
        policy = self.server.head_of("/console")["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.open("")
        with self.assertRaises(Exception):
            self.browser.run("document.body.innerHTML = '<b>markup</b>'")
        self.browser.run("try { const x = document.createElement('script'); x.append('window.inline = 1');"
                         "document.head.append(x); } catch { }")
        self.assertIsNone(self.browser.run("return window.inline ?? null"))

    def test_keys_lead_everywhere(self):
        self.open("")
        self.browser.press("2")
        self.wait_for_text("h1", "Actors")
        self.wait_for_text(".actors", "registry")
        self.browser.press("/")
        self.assertEqual(self.browser.run("return document.activeElement.type"), "search")
        self.browser.driver.switch_to.active_element.send_keys("gpu")
        self.browser.until(lambda: self.browser.run("return document.querySelectorAll('.actors tbody tr').length") == 1,
                           "one actor is left")
        self.browser.find(".actors tbody a").click()
        self.wait_for_text("h1", "gpu scheduler")
        self.wait_for_text("table", "next")

    def test_tree_shows_who_supervises_whom(self):
        self.open("actors")
        self.wait_for_text(".actors tbody", "storage writer")
        self.browser.run("document.querySelectorAll('.chip')[1].click()")
        self.wait_for_text(".actors tbody .branch", "storage writer")

    def test_settings_tell_where_they_come_from(self):
        self.open("settings")
        self.wait_for_text(".settings", "MUSETALKD_WEIGHTS")
        origin = ("return [...document.querySelectorAll('.settings dt')].find((x) => x.textContent == 'MUSETALKD_WEIGHTS')"
                  ".nextSibling.textContent")
        self.assertEqual(self.browser.run(origin), "syntheticenvironment")

    def test_speaks_chinese(self):
        self.open("")
        self.browser.run("[...document.querySelectorAll('#top button')].find((x) => x.textContent == '中文').click()")
        self.wait_for_text("#nav", "数字人")
        self.browser.run("localStorage.clear()")

    def test_fits_a_phone(self):
        self.browser.look_like(390, 844, phone=True)
        for page in ("", "actors", "jobs", "avatars", "device", "settings"):
            self.open(page)
            self.browser.find("#main h1")
            wide = self.browser.run("return document.documentElement.scrollWidth")
            self.assertLessEqual(wide, 390, page)
        self.browser.look_like()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
