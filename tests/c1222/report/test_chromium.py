"""The page in a real Chromium: it renders, says nothing on the console, asks nobody, and can be used by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c1222.report import capture_report, device_report
from c1222.security.keys import KeyStore
from tests.c1222.report.pages import HOSTILE, MADE, ROOT, hostile, sample

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.chromium
CAPTURES = ROOT / "specs" / "captures"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    keys = KeyStore.from_file(CAPTURES / "keys.toml")
    (made / "devices.html").write_text(
        device_report(sample(), sample("single-phase"), sample("big-endian"), made=MADE), "utf-8"
    )
    (made / "hostile.html").write_text(device_report(hostile(), made=MADE), "utf-8")
    (made / "traffic.html").write_text(
        capture_report([CAPTURES / "registers.pcap", CAPTURES / "published.pcap"], made=MADE, keys=keys), "utf-8"
    )
    return made


@pytest.fixture
def show(browser: Browser, folder: Path) -> Iterator[Open]:
    """Open a page; in the end nothing was said on its console, and nothing asked for but the page itself."""
    said: list[str] = []
    asked: list[str] = []
    opened = []

    def open_page(name: str, **options: Any) -> Page:
        context = browser.new_context(viewport=options.pop("viewport", DESKTOP), **options)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / name).as_uri())
        return page

    yield open_page
    for context in opened:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [
        url for url in asked if url.startswith("file:") and url.endswith(".html")
    ]
    assert len([url for url in asked if url.startswith("file:")]) == len(opened)


def until(page: Page, expression: str) -> None:
    """Wait until something is so; Playwright's own way of waiting is refused by the policy of the page."""
    for _ in range(500):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"not so after 10 seconds: {expression}")


def drawn(page: Page) -> list[list[Any]]:
    """Open every meter, draw every chart; return title, points and series of each."""
    page.evaluate("document.querySelectorAll('details.meter').forEach((one) => { one.open = true; })")
    count = page.locator("figure.chart").count()
    for number in range(count):
        page.locator("figure.chart").nth(number).scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('figure.chart')].every((one) => one.uplot)")
    found: list[list[Any]] = page.evaluate(
        "[...document.querySelectorAll('figure.chart')].map((one) =>"
        " [one.querySelector('figcaption').textContent, one.uplot.data[0].length, one.uplot.data.length - 1])"
    )
    return found


def test_charts_have_a_point_an_interval(show: Open) -> None:
    charts = drawn(show("devices.html"))
    wanted = []
    for name in ("polyphase-tou", "big-endian", "single-phase"):
        profile = sample(name).load_profile(1)
        wanted.append(len({row.start for row in profile.rows if row.start is not None}))
    found = [points for title, points, _ in charts if title.startswith("Load profile 1: active energy")]
    assert sorted(found) == sorted(count for count in wanted if count)
    assert len(found) >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["devices.html", "traffic.html"])
def test_it_fits_and_charts_are_not_blank(show: Open, name: str, viewport: dict[str, int], scheme: str) -> None:
    page = show(name, viewport=viewport, color_scheme=scheme)
    assert drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    inks: list[int] = page.evaluate(
        """[...document.querySelectorAll('figure.chart canvas')].map((canvas) => {
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let at = 3; at < data.length; at += 4) count += data[at] > 128;
            return count;
        })"""
    )
    assert min(inks) > 200
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, light[4:-1].split(","))) > 384) == (scheme == "light")


def test_the_theme_can_be_chosen(show: Open) -> None:
    page = show("devices.html", color_scheme="light")
    button = page.get_by_role("button", name="Theme")
    themes = []
    for _ in range(3):
        button.click()
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    assert themes == ["light", "dark", "light"]


def shown_span(page: Page) -> list[float]:
    """Return the ends of what the first chart shows."""
    found: list[float] = page.evaluate(
        "(({ min, max }) => [min, max])(document.querySelector('figure.chart').uplot.scales.x)"
    )
    return found


def test_a_chart_zooms_by_keys_buttons_and_drawing(show: Open) -> None:
    page = show("devices.html")
    drawn(page)
    first = page.locator("figure.chart").first
    whole = shown_span(page)
    first.locator(".plot").focus()
    page.keyboard.press("+")
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.min > {whole[0]}")
    near = shown_span(page)
    assert near[1] - near[0] == pytest.approx((whole[1] - whole[0]) / 2)
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.min > {near[0]}")
    page.keyboard.press("0")
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.max == {whole[1]}")
    assert shown_span(page) == whole
    first.get_by_role("button", name="Zoom in").click()
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.min > {whole[0]}")
    first.get_by_role("button", name="All").click()
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.min == {whole[0]}")
    area = first.locator(".u-over")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 100, steps=5)
    page.mouse.up()
    until(page, f"document.querySelector('figure.chart').uplot.scales.x.min > {whole[0]}")
    drag = shown_span(page)
    assert (drag[1] - drag[0]) / (whole[1] - whole[0]) == pytest.approx(200 / box["width"], rel=0.1)


def test_everything_is_reached_by_tab(show: Open) -> None:
    page = show("devices.html")
    drawn(page)
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(({ id, tagName, className, dataset }) => id || dataset.do || className || tagName)(document.activeElement)"
            )
        )
    assert {"skip", "theme", "in", "out", "left", "right", "all", "plot", "SUMMARY", "open-all", "scroll"} <= reached


def test_every_control_has_a_name(show: Open) -> None:
    page = show("traffic.html")
    nameless: int = page.evaluate(
        "[...document.querySelectorAll('button, input, [tabindex]')].filter((one) =>"
        " !(one.ariaLabel || one.textContent.trim() || one.closest('label'))).length"
    )
    assert nameless == 0


def test_a_meter_is_found_and_opened_from_the_list(show: Open) -> None:
    page = show("traffic.html")
    rows = page.locator("#node-list tbody tr")
    before = rows.count()
    assert before > 1
    name = page.locator("#node-list a").first.inner_text()
    page.get_by_label("Find").first.fill(name)
    assert 0 < page.locator("#node-list tbody tr:visible").count() < before
    page.evaluate("document.querySelectorAll('details.meter').forEach((one) => { one.open = false; })")
    link = page.locator("#node-list a:visible").first
    target = str(link.get_attribute("href"))
    link.click()
    until(page, f"document.querySelector('{target}').open")


def test_a_hostile_meter_is_text(show: Open) -> None:
    page = show("hostile.html")
    drawn(page)
    assert page.evaluate("typeof stolen") == "undefined"
    assert page.locator("summary h3").first.inner_text() == HOSTILE
    assert page.locator("img").count() == 0


def test_a_script_that_got_in_would_not_run(browser: Browser, folder: Path) -> None:
    """The policy of the page stands behind the escaping."""
    page = browser.new_page()
    page.goto((folder / "devices.html").as_uri())
    page.evaluate("addEventListener('securitypolicyviolation', () => { window.refused = true; })")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=x onclick=\"window.stolen=1\">x</p>')")
    page.evaluate("document.getElementById('x').click()")
    until(page, "window.refused")
    assert page.evaluate("typeof stolen") == "undefined"
    page.close()


def test_print(show: Open) -> None:
    page = show("devices.html", color_scheme="dark")
    drawn(page)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not page.get_by_role("button", name="Zoom in").first.is_visible()
    assert not page.locator("nav").is_visible()
    overflow = page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX")
    assert overflow == "visible"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.pdf()[:5] == b"%PDF-"


def test_without_scripts_the_text_is_there(show: Open) -> None:
    page = show("devices.html", java_script_enabled=False)
    assert page.get_by_text("Charts need JavaScript").is_visible()
    assert page.get_by_text("388,381.680").first.is_visible()
