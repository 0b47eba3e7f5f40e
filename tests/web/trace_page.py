#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""trace_page.py PAGE [FOLDER]: the page of a trace of 5,000 events opens and zooms in Chromium in less
than two seconds, finds, selects, and asks the network for nothing. Pictures go to FOLDER. Ends with 77
where Chromium is not installed."""

import sys
import time

from browser import Browser

SECONDS = 2.0
TRIES = 5  # a machine that is busy with something else may take longer: the best one counts


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def view(browser):
    return [float(part) for part in browser.run("plot.dataset.view").split()]


def opens(browser, page):
    begin = time.monotonic()
    browser.open(page)
    browser.wait("document.getElementById('plot')?.dataset.ready !== undefined")
    took = time.monotonic() - begin
    check("5,000 events" in browser.run("sum.textContent"), browser.run("sum.textContent"))
    check("5 nodes" in browser.run("sum.textContent"), browser.run("sum.textContent"))
    check(browser.run("plot.dataset.shown") == "5000", "not all events are drawn")
    check(browser.run("document.title") == "tulle trace", "a payload has run")
    check(browser.run("document.images.length + document.querySelectorAll('b').length") == 0,
          "a payload has become a part of the page")
    return took


def zooms(browser):
    """Wheel by wheel, with the mouse where the events are; returns the slowest."""
    slowest = 0
    before = view(browser)
    for _ in range(8):
        begin = time.monotonic()
        browser.mouse("mouseWheel", 700, 300, deltaX=0, deltaY=-240)
        browser.frame()
        slowest = max(slowest, time.monotonic() - begin)
    after = view(browser)
    check(after[1] - after[0] < (before[1] - before[0]) / 20, f"zoomed from {before} to {after}")
    check(0 < int(browser.run("plot.dataset.shown")) < 2000, "events out of sight are drawn")
    browser.key("0")
    browser.frame()
    check(browser.run("plot.dataset.shown") == "5000", "fit does not show everything")
    return slowest


def look_for(browser, text):
    browser.run(f"$('search').value = '{text}'; $('search').dispatchEvent(new Event('input')); plot.focus()")


def finds(browser):
    browser.key("/")
    browser.type("order-0777")
    check(browser.run("found.textContent") == "5 events", browser.run("found.textContent"))
    browser.key("Enter")
    browser.frame()
    check(browser.run("found.textContent") == "1 of 5", browser.run("found.textContent"))
    details = browser.run("details.textContent")
    check("orders/placed" in details and "order-0777" in details, details)
    check("0 causes, 4 consequences" in details, details)
    browser.run("[...details.querySelectorAll('li button')].find(b => b.textContent.includes('payments')).click()")
    details = browser.run("details.textContent")
    check("1 cause, 1 consequence" in details, details)
    check("</script><b>payment" in details, details)
    look_for(browser, "</script>")
    count = browser.run("found.textContent")
    check(count == "1,004 events", count)  # those of the node with that name, and of that order


def selects(browser):
    """The first event of the first line, by a click."""
    look_for(browser, "")
    browser.run("setView(time[nodes[0].events[0]] - 500, time[nodes[0].events[0]] + 1500, 0)")
    browser.frame()
    left, top = browser.run("(() => { const b = plot.getBoundingClientRect(); return [b.left, b.top]; })()")
    x, y = browser.run("[x(time[nodes[0].events[0]]), y(0)]")
    browser.click(left + x, top + y)
    browser.frame()
    check(browser.run("details.classList.contains('is-open')"), "a click selects nothing")
    check("order-0000" in browser.run("details.textContent"), browser.run("details.textContent"))
    browser.key("Escape")
    browser.frame()
    check(not browser.run("details.classList.contains('is-open')"), "Escape does not close")


def pictures(browser, folder):
    for scheme, width, height in (("light", 1280, 800), ("dark", 1280, 800), ("light", 390, 800)):
        browser.resize(width, height)
        browser.scheme(scheme)
        browser.key("0")
        browser.frame()
        browser.picture(f"{folder}/page-{scheme}-{width}.png")
        browser.run("select(nodes[1].events[500], true); showChain()")
        browser.frame()
        browser.picture(f"{folder}/page-{scheme}-{width}-chain.png")
        browser.run("select(-1)")


def main():
    page, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        browser = Browser()
    except FileNotFoundError as problem:
        print(f"skipped: {problem}")
        return 77
    with browser:
        opened = zoomed = 2 * SECONDS
        for _ in range(TRIES):
            opened = min(opened, opens(browser, page))
            zoomed = min(zoomed, zooms(browser))
            if opened < SECONDS and zoomed < SECONDS:
                break
        check(opened < SECONDS, f"opened only after {opened:.2f} s")
        check(zoomed < SECONDS, f"a zoom took {zoomed:.2f} s")
        finds(browser)
        selects(browser)
        if folder:
            pictures(browser, folder)
        complaints = browser.complaints()
        check(not complaints, f"the browser complains: {complaints}")
    print(f"opened in {opened:.2f} s, slowest of 8 zooms {zoomed:.2f} s")
    return 0


sys.exit(main())
