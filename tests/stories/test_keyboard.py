"""Asking with the keyboard alone."""
import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.story]


def test_a_line_is_asked_and_an_alternative_taken_with_the_keyboard_alone(people):
    buyer = people("buyer@sakura.test")
    buyer.open("/titles/1")
    press, page = buyer.page.keyboard.press, buyer.page
    skip = buyer.link("To the content")
    buyer.tab_to(skip, most=1)
    expect(skip).to_be_in_viewport()
    press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    buyer.tab_to(page.get_by_role("main").get_by_role("link").first, most=1)

    media = opened(buyer, "Media")
    buyer.tab_to(media.get_by_label("SVOD"))
    press("Space")
    closed(buyer, media, "SVOD")

    territories = opened(buyer, "Territories")
    buyer.tab_to(territories.get_by_label("Territories"))
    page.keyboard.type("Hong Kong, Taiwan")
    closed(buyer, territories, "Hong Kong + Taiwan")

    dates = opened(buyer, "Dates")
    buyer.tab_to(dates.get_by_label("From, included"))
    page.keyboard.type("01012027")  # the same wherever the day comes first, and where the month does
    buyer.tab_to(dates.get_by_label("To, included"))
    page.keyboard.type("12122029")
    closed(buyer, dates, "2027")

    exclusivity = opened(buyer, "Exclusivity")
    buyer.tab_to(exclusivity.get_by_label("Non-exclusive", exact=True))
    press("ArrowUp")
    closed(buyer, exclusivity, "exclusive")

    buyer.tab_to(buyer.button("Is it free?"))
    with page.expect_navigation():
        press("Enter")
    answer = buyer.section("Is it free?")
    expect(answer.get_by_text(re.compile("^Partly free"))).to_be_visible()
    buyer.tab_to(answer.get_by_role("link", name=re.compile("^Without Taiwan: Hong Kong")))
    with page.expect_navigation():
        press("Enter")
    expect(answer.get_by_text("Available", exact=True)).to_be_visible()
    buyer.tab_to(buyer.button("Draft an offer"))
    wrong = [*buyer.problems, *buyer.faults]
    assert not wrong, "\n".join(wrong)


def test_what_is_typed_is_answered_below_the_box_and_the_arrow_keys_choose(people):
    buyer = people("buyer@sakura.test")
    buyer.open("/?media=svod&territories=HK&starts_on=2027-01-01&ends_on=2029-12-31")
    page, press = buyer.page, buyer.page.keyboard.press
    box = page.get_by_role("combobox", name="Title, person, subject, in any script")
    titles = page.get_by_role("listbox", name="Titles")
    box.focus()
    page.keyboard.type("tide kee")
    expect(titles.get_by_role("option")).to_contain_text(["潮信"] * 3)
    press("Escape")
    expect(titles).to_be_hidden()
    assert box.input_value() == "tide kee", "the words stay"
    press("ArrowDown")
    press("ArrowDown")
    chosen = titles.get_by_role("option", selected=True)
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    expect(box).to_be_focused()
    buyer.look()
    name = chosen.locator("b").inner_text()
    with page.expect_navigation():
        press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    expect(buyer.section("Is it free?").get_by_text("Hong Kong").first).to_be_visible()
    wrong = [*buyer.problems, *buyer.faults]
    assert not wrong, "\n".join(wrong)


def test_each_drawing_is_one_stop_of_the_tab_key_and_says_the_cell_in_hand(people):
    buyer = people("buyer@sakura.test")
    buyer.open("/titles/2/rights?media=svod&territories=HK,CH&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true")
    press, page = buyer.page.keyboard.press, buyer.page
    swiss = "Switzerland, SVOD: licensed to 31 Dec 2028, then free"
    grid, when = (page.get_by_role("table", name=words) for words in ("What is free", "SVOD, by territory"))
    buyer.tab_to(grid.get_by_role("link", name=swiss))
    said = page.locator("[data-says=grid]")
    expect(said).to_have_text(swiss)
    press("ArrowDown")
    expect(said).to_have_text("Hong Kong, SVOD: free")
    press("Home")
    expect(said).to_have_text("Hong Kong, Theatrical: free")
    press("Control+End")
    expect(said).to_have_text(re.compile("^Everywhere else .*, Festival: free$"))
    buyer.tab_to(when.get_by_role("link", name=swiss), most=2)
    press("ArrowDown")
    expect(when.get_by_role("link", name="Hong Kong, SVOD: free")).to_be_focused()
    tile = page.locator(".tile.asked").get_by_role("link", name=swiss)
    buyer.tab_to(tile, most=2)
    press("ArrowDown")
    expect(page.locator("[data-says=where]")).to_have_text("Italy, SVOD: free")
    with page.expect_navigation():
        press("Enter")
    expect(buyer.section("Is it free?").get_by_text("Available", exact=True)).to_be_visible()
    wrong = [*buyer.problems, *buyer.faults]
    assert not wrong, "\n".join(wrong)


def opened(person, words):
    """A slot of the line, reached by Tab and opened by Enter."""
    found = person.slot(words)
    person.tab_to(found.locator("summary"))
    person.page.keyboard.press("Enter")
    expect(found).to_have_attribute("open", "")
    return found


def closed(person, slot, says):
    """Escape closes the slot, leaves the focus on it, and the slot says what was chosen."""
    person.page.keyboard.press("Escape")
    expect(slot).not_to_have_attribute("open", "")
    expect(slot.locator("summary")).to_be_focused()
    expect(slot.locator("summary b")).to_contain_text(says)
