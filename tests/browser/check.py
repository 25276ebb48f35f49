#!/usr/bin/env python3
"""Looks at the page of an audit in a real Chromium, as a user would: filter, sort, unfold, copy, keys, print.

Speaks WebDriver to chromedriver with nothing but the standard library. Skipped, in one line, where Chromium or
chromedriver is missing (Debian: chromium, chromium-driver). `--pictures DIR` keeps what it saw.
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKE_PAGE = ["cargo", "test", "--locked", "--quiet", "--lib", "the_page_of_the_browser_test"]
KEYS = {"enter": "\ue007", "down": "\ue015", "end": "\ue010", "escape": "\ue00c"}
FINDINGS = 10_000
HOSTILE_CELLS = {"missing": 2, "resizes": 4, "differing": 4, "autoscalers": 7, "approvals": 3}
MOST_ROWS = 150  # of 10,000: what three windows hold


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, address, folder):
        self.address = address
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
                     "--window-size=1400,900"]
        options = {"binary": shutil.which("chromium"), "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def ask(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def do(self, command, **body):
        return self.ask("POST", f"{self.session}/{command}", body)

    def devtools(self, command, **parameters):
        return self.do("goog/cdp/execute", cmd=command, params=parameters)

    def run(self, script, *arguments):
        """What `script` returns, two frames later: lists are drawn once a frame."""
        drawn = "const done = arguments[arguments.length - 1]; const act = function () { %s };" \
            "const value = act.apply(null, arguments);" \
            "requestAnimationFrame(() => requestAnimationFrame(() => done(value)));"
        return self.do("execute/async", script=drawn % script, args=list(arguments))

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.do("actions", actions=[{"type": "key", "id": "keys", "actions": actions}])
        self.run("")

    def click(self, selector):
        element = self.do("element", using="css selector", value=selector)
        self.do(f"element/{next(iter(element.values()))}/click")
        self.run("")

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? null", selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)


class Pictures:
    """Where pictures go, if anywhere."""

    def __init__(self, browser, folder):
        self.browser = browser
        self.folder = folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name):
        if self.folder:
            image = self.browser.ask("GET", f"{self.browser.session}/screenshot")
            (self.folder / f"{name}.png").write_bytes(base64.b64decode(image))


def same(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} is not {wanted!r}")


def few_rows(browser, what):
    rows = browser.count(".row")
    if not 0 < rows < MOST_ROWS:
        raise AssertionError(f"{what}: {rows} rows in the document")


def look(browser, keep):
    nothing_runs(browser)
    keep("light")
    filters(browser, keep)
    sorts(browser)
    unfolds_and_copies(browser, keep)
    goes_by_keys(browser)
    scrolls(browser)
    looks(browser, keep)
    prints(browser, keep)


def nothing_runs(browser):
    same("errors", browser.ask("POST", f"{browser.session}/se/log", {"type": "browser"}), [])
    same("what data made", browser.count("img, link, iframe, object, script:not(body > script)"), 0)
    same("scripts", browser.count("script"), 2)
    name = browser.text(".row span:nth-child(4)")
    if "<img src=x onerror=alert(1)>" not in name or "\\u{202e}" not in name:
        raise AssertionError(f"a hostile name is not shown as text: {name!r}")
    for section in ("missing", "resizes", "differing", "autoscalers", "approvals"):
        cells = browser.run("return [...document.querySelectorAll(`#${arguments[0]} td`)].map((one) => one.textContent)",
                            section)
        shown = sum("<img src=x onerror=alert(1)>" in cell and "\\u{202e}" in cell for cell in cells)
        if shown < HOSTILE_CELLS[section]:
            raise AssertionError(f"{section}: {shown} hostile texts are shown as text: {cells!r}")
    same("sections", browser.run("return [...document.querySelectorAll('#sections section')].map((one) => one.id)"),
         ["missing", "resizes", "differing", "autoscalers", "approvals"])
    blocked = browser.run("window.ran = false; const script = document.createElement('script');"
                          "script.textContent = 'window.ran = true'; document.body.append(script); script.remove();"
                          "return window.ran")
    same("a script that is not the page's ran", blocked, False)


def filters(browser, keep):
    same("count", browser.text("#count"), "10,000 findings")
    browser.press("/", *"web-77 numb")
    same("of a text", browser.text("#count"), "111 of 10,000 findings")
    few_rows(browser, "filter")
    browser.click(".facet:nth-child(4) summary")
    keep("filter")
    browser.click(".facet:nth-child(4) label:nth-child(1) input")
    same("of a text and a kind", browser.text("#count"), "28 of 10,000 findings")
    browser.press(KEYS["escape"])
    same("open choices", browser.count(".facet[open]"), 0)
    browser.click("#filters button[type=reset]")
    same("cleared", browser.text("#count"), "10,000 findings")
    browser.click("#bars section:nth-child(2) .bar")
    same("of a bar", browser.run("return document.querySelector('.bar[aria-pressed=true] span').innerText"),
         browser.text(".row span:nth-child(3)"))
    browser.click("#filters button[type=reset]")


def sorts(browser):
    first = ".row:first-child span:nth-child(4)"
    browser.click("#columns button:nth-child(4)")
    same("the first by object", browser.text(first), "CronJob/web-3")
    browser.click("#columns button:nth-child(4)")
    same("the last by object", browser.text(first), "StatefulSet/web-9997")
    browser.click("#columns button:nth-child(5)")
    same("most pods", browser.text(".row:first-child span:nth-child(5)"), "6")


def unfolds_and_copies(browser, keep):
    browser.click(".row:nth-child(2) > button")
    same("unfolded", browser.run("return document.querySelector('.row.open > button').ariaExpanded"), "true")
    same("command", browser.text(".row.open code ~ button, .row.open dd:nth-of-type(4) code"),
         "kubectl set resources deploy/web --limits=memory=1Gi")
    gap = browser.run("const places = [...document.querySelectorAll('.row')].map((row) => row.getBoundingClientRect());"
                      "const [, two, three] = places; return Math.abs(three.top - two.bottom)")
    if gap > 1:
        raise AssertionError(f"the next row is {gap} px away")
    browser.run("window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text) }")
    browser.click(".row.open dd:nth-of-type(4) button")
    same("copied", browser.run("return window.copied"), ["kubectl set resources deploy/web --limits=memory=1Gi"])
    same("says so", browser.text(".row.open dd:nth-of-type(4) button"), "copied")
    keep("unfolded")
    browser.click(".row.open > button")
    same("folded", browser.count(".row.open"), 0)


def goes_by_keys(browser):
    focused = "return Number(document.activeElement.parentNode.getAttribute('aria-posinset'))"
    browser.run("document.querySelector('.row > button').focus()")
    browser.press(KEYS["down"], KEYS["down"])
    same("two down", browser.run(focused), 3)
    browser.press(KEYS["enter"])
    same("unfolded by Enter", browser.count(".row.open"), 1)
    browser.press(KEYS["enter"], KEYS["end"])
    same("at the end", browser.run(focused), FINDINGS)
    few_rows(browser, "at the end")
    same("rows that Tab leads to", browser.count(".row > button[tabindex='0']"), 1)


def scrolls(browser):
    most, slowest = browser.do("execute/async", args=[], script="""
        const done = arguments[0];
        const [step, frames] = [document.documentElement.scrollHeight / 60, []];
        let most = 0;
        let frame = 0;
        const next = (now) => {
            frames.push(now);
            most = Math.max(most, document.querySelectorAll('.row').length);
            scrollTo(0, step * frame);
            frame += 1;
            if (frame <= 60) requestAnimationFrame(next);
            else done([most, Math.max(...frames.slice(1).map((at, index) => at - frames[index]))]);
        };
        requestAnimationFrame(next);""")
    if most >= MOST_ROWS:
        raise AssertionError(f"{most} rows while it scrolls")
    print(f"  10,000 findings: at most {most} rows, slowest frame {slowest:.0f} ms")
    same("the end", browser.count(".row[aria-posinset='10000']"), 1)


def looks(browser, keep):
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.run("scrollTo(0, 0)")
    light = browser.run(ground)
    browser.click("#theme")
    browser.click("#theme")
    dark = browser.run(ground)
    keep("dark")
    browser.click("#theme")
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    same("dark as the system", browser.run(ground), dark)
    browser.devtools("Emulation.setEmulatedMedia", features=[])
    same("light again", [browser.run(ground), light != dark], [light, True])
    browser.devtools("Emulation.setDeviceMetricsOverride", width=380, height=800, deviceScaleFactor=1, mobile=False)
    browser.run("document.getElementById('findings').scrollIntoView()")
    browser.click(".row:nth-child(2) > button")
    keep("narrow")
    browser.run("document.querySelector('.row.open').scrollIntoView({block: 'center'})")
    keep("narrow-unfolded")
    browser.click(".facet:nth-child(3) summary")
    keep("narrow-facet")
    same("wider than a narrow window", browser.run(
        "const page = document.documentElement; return page.scrollWidth > page.clientWidth"), False)
    browser.press(KEYS["escape"])
    browser.click(".row.open > button")
    browser.devtools("Emulation.clearDeviceMetricsOverride")


def prints(browser, keep):
    browser.run("document.getElementById('text').value = 'web-77'; document.getElementById('text')"
                ".dispatchEvent(new Event('input'))")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    same("rows on paper", browser.count(".row"), 111)
    browser.run("dispatchEvent(new Event('afterprint'))")
    few_rows(browser, "after printing")
    same("a remark on what is not on paper", browser.text("#printed"), "")
    browser.click("#filters button[type=reset]")
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    same("a remark on what is left out", browser.text("#printed"), "On paper are the first 5,000 of 10,000 findings; "
         "5,000 are left out. Filter to print others.")
    browser.devtools("Emulation.setEmulatedMedia", media="")
    browser.run("document.getElementById('text').value = 'web-77'; document.getElementById('text')"
                ".dispatchEvent(new Event('input'))")
    paper = base64.b64decode(browser.do("print", orientation="landscape"))
    if keep.folder:
        (keep.folder / "print.pdf").write_bytes(paper)
    same("on paper", paper[:5], b"%PDF-")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--page", help="a page made before [default: made by the unit tests]")
    options.add_argument("--pictures", type=pathlib.Path, help="the folder for pictures")
    options = options.parse_args()
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        print(f"skipped: the page of an audit in a browser ({', '.join(missing)} not found)")
        return
    with tempfile.TemporaryDirectory() as folder:
        page = options.page or f"{folder}/page.html"
        if not options.page:
            subprocess.run(MAKE_PAGE, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, "RESTRAINT_AUDIT_PAGE": page})
        driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            started = next(line for line in driver.stdout if "successfully on port" in line)
            port = started.rsplit(" ", 1)[1].strip(" .\n")
            browser = Browser(f"http://127.0.0.1:{port}", f"{folder}/profile")
            try:
                browser.do("url", url=pathlib.Path(page).resolve().as_uri())
                look(browser, Pictures(browser, options.pictures))
            finally:
                browser.ask("DELETE", browser.session)
        finally:
            driver.terminate()
            driver.wait()
    print("ok: the page of an audit in a browser")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"the page of an audit in a browser: {error}")
