"""Logging in, users, invitations, second factors and keys in the console."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Page, expect

from snowgauge.testing.console import PrivatePort

Findings = Callable[[Page], list[str]]
PASSWORD = "correct horse battery"


def log_in(page: Page, name: str = "ada", password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def code_of(secret: str, steps: int = 0) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()


def test_a_login_is_asked_for_once_somebody_is_registered(page: Page, seeded: PrivatePort) -> None:
    seeded.access.add_person("ada", "correct horse battery", "admin")
    page.goto("/live")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()


def test_the_first_admin_closes_the_open_door(page: Page, port: PrivatePort) -> None:
    page.goto("/access")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", name="Log in to Snowgauge")).to_be_visible()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="API keys").click()
    page.get_by_label("What it is for").fill("grafana")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("region", name="New key")).to_contain_text("sg_")
    page.get_by_role("button", name="Audit log").click()
    expect(page.get_by_text("add key", exact=True)).to_be_visible()


def test_a_user_changes_the_password_and_ends_a_session(
    page: Page, port: PrivatePort, serious_findings: Findings
) -> None:
    port.access.add_person("ada", "correct horse battery", "admin")
    port.access.log_in("ada", "correct horse battery")
    page.goto("/account")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    sessions = page.get_by_role("region", name="Sessions").get_by_role("listitem")
    expect(sessions).to_have_count(2)
    expect(page.get_by_text("Counts, timelines and groups")).to_be_visible()
    assert not serious_findings(page)
    page.get_by_role("button", name="End session").click()
    expect(sessions).to_have_count(1)
    page.get_by_label("Current password").fill("wrong password")
    page.get_by_label("New password").fill("another good password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("the current password is wrong")
    page.get_by_label("Current password").fill("correct horse battery")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Password changed.")).to_be_visible()
    assert port.access.log_in("ada", "another good password").person.name == "ada"


def test_a_user_is_invited_by_a_link_and_chooses_the_password(
    page: Page, port: PrivatePort, address: str, serious_findings: Findings
) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    page.goto("/access")
    log_in(page)
    form = page.get_by_role("region", name="Add user")
    form.get_by_label("Name").fill("grace")
    form.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Invite user").click()
    link = page.get_by_role("region", name="Invitation link").locator("code").inner_text()
    assert link.startswith(f"{address}/invitation#")
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("invited by ada")
    assert not serious_findings(page)
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("heading", name="Welcome, grace")).to_be_visible()
    assert not serious_findings(page)
    page.get_by_label("Password").fill("chosen by grace")
    page.get_by_role("button", name="Accept invitation").click()
    expect(page.get_by_role("navigation", name="Pages").first).to_be_visible()
    assert port.access.log_in("grace", "chosen by grace").person.role == "viewer"
    page.goto("/start")  # another page, so that the link is loaded and not only its end
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("this invitation is not valid")


def test_a_second_factor_is_set_up_where_it_is_required_and_asked_for(
    page: Page, port: PrivatePort, serious_findings: Findings
) -> None:
    person = port.access.add_person("ada", PASSWORD, "admin")
    page.goto("/account")
    log_in(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set up second factor").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth") > 100
    assert not serious_findings(page)
    secret = page.get_by_role("region", name="Second factor").locator("code").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Confirm code").click()
    codes = page.get_by_role("region", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    assert port.access.second_factors.has(person.id)
    page.context.clear_cookies()
    page.reload()
    log_in(page)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("the code is wrong")
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()


def test_a_user_is_limited_to_an_application(page: Page, port: PrivatePort, serious_findings: Findings) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    port.access.add_person("grace", PASSWORD, "analyst")
    page.goto("/access")
    log_in(page)
    people = page.get_by_role("region", name="People")
    people.get_by_role("button", name="Applications of grace").click()
    people.get_by_label("Applications").fill("shop, blog")
    assert not serious_findings(page)
    people.get_by_role("button", name="Save").click()
    expect(people.get_by_role("button", name="Applications of grace")).to_contain_text("only blog, shop")
    page.context.clear_cookies()
    page.goto("/alerts")
    log_in(page, "grace")
    expect(page.get_by_text("some applications only (blog, shop)")).to_be_visible()
    menu = page.get_by_role("navigation", name="Pages").first
    expect(menu.get_by_role("link")).to_have_text(["Analytics", "Explore", "Dashboards", "Live"])
