"""Chromium without a window, driven as a person would."""
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 30


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        for x in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                  "--disable-background-networking", "--disable-component-update", "--no-first-run", "--lang=en"):
            options.add_argument(x)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.look_like()

    def look_like(self, width=1360, height=900, dark=False, phone=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1,
                                     "mobile": phone})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, url):
        self.driver.get("about:blank")
        self.driver.get(url)
        self.until(lambda: self.run("return document.documentElement.dataset.ready") == "1", "the console is ready")

    def go(self, hash_path):
        self.run("location.hash = arguments[0]", hash_path)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, css):
        return self.until(lambda: next(iter(self.driver.find_elements(By.CSS_SELECTOR, css)), None), css)

    def text(self, css):
        """The text of all elements that fit, as the page holds it."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((x) => x.textContent).join('\\n')", css)

    def until(self, what, name):
        return WebDriverWait(self.driver, PATIENCE_S, poll_frequency=.05).until(lambda _: what(), f"never: {name}")

    def press(self, key):
        self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def complaints(self):
        """What the page has written to the log as errors since the last call."""
        return [x["message"] for x in self.driver.get_log("browser") if x["level"] == "SEVERE"]

    def quit(self):
        self.driver.quit()
