# SPDX-License-Identifier: MIT
"""A real browser for the smoke tests: headless Chromium, driven by chromedriver's WebDriver protocol, standard library
only."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def missing():
    """What keeps a browser from being started; None if nothing does."""
    for program in ["chromium", "chromedriver"]:
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Browser:
    """One browser with one page. Use it in a `with`."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="nibblesim-browser-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True, env={**os.environ, "HOME": self.profile})
        try:
            self.url = f"http://127.0.0.1:{self.port()}"
            flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-sync", "--disable-background-networking", "--disable-component-update",
                     "--hide-scrollbars", "--force-color-profile=srgb", f"--user-data-dir={self.profile}/profile"]
            options = {"binary": shutil.which("chromium"), "args": flags}
            session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.url += f"/session/{session['sessionId']}"
        except BaseException:
            self.close()
            raise

    def port(self):
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.rstrip().rstrip(".").split()[-1])
        raise AssertionError("chromedriver did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.close()

    def close(self):
        self.driver.terminate()
        self.driver.wait(timeout=20)
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode(errors='replace')[:2000]}") from None

    def cdp(self, command, **parameters):
        """A command of Chromium's own protocol."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script, *arguments):
        """What the body of a JavaScript function returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def look(self, width=1440, height=900, dark=False):
        """Size of the window and colours of the system, from here on."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path):
        """Opens a file and waits until all charts are drawn."""
        self.call("POST", "/url", {"url": "file://" + os.path.abspath(path)})
        self.settle()

    def seconds_to_open(self, path):
        """Processor time that the page takes until all charts are drawn: what it takes where nothing else runs."""
        self.call("POST", "/url", {"url": "about:blank"})
        self.cdp("Performance.enable", timeDomain="threadTicks")
        self.open(path)
        metrics = {metric["name"]: metric["value"] for metric in self.cdp("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"]

    def settle(self, seconds=30):
        """Waits until all charts are drawn."""
        end = time.monotonic() + seconds
        while self.run("return document.documentElement.dataset.state") != "drawn":
            if time.monotonic() > end:
                raise AssertionError(f"charts are not drawn: {self.messages()}")
            time.sleep(0.02)

    def messages(self):
        """What the console has said since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, file, whole=False):
        parameters = {}
        if whole:
            size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
            parameters = {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        with open(file, "wb") as out:
            out.write(base64.b64decode(self.cdp("Page.captureScreenshot", format="png", **parameters)["data"]))

    def pdf(self):
        return base64.b64decode(self.cdp("Page.printToPDF", printBackground=True)["data"])
