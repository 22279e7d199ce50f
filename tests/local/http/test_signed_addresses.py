"""Signed addresses of files: for one method, one file, one server, and a while."""

import time

import pytest

from agb.local.http.signed_addresses import Address, Addresses, InvalidAddress


def test_an_address_is_for_one_method_one_file_and_one_server():
    """Changed, foreign and misused addresses are refused."""
    addresses = Addresses()
    word = addresses.make(Address("GET", "c", "/a"))

    assert addresses.read(word, "GET") == Address("GET", "c", "/a")
    for wrong in (word + "x", "x" + word, "", ".", word.split(".")[0], word.replace(".", "")):
        with pytest.raises(InvalidAddress):
            addresses.read(wrong, "GET")
    with pytest.raises(InvalidAddress, match="is for GET"):
        addresses.read(word, "PUT")
    with pytest.raises(InvalidAddress):
        Addresses().read(word, "GET")


def test_an_address_expires(monkeypatch):
    """After its time an address is refused, and says so."""
    addresses = Addresses()
    word = addresses.make(Address("GET", "c", "/a"))
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(InvalidAddress, match="expired"):
        addresses.read(word, "GET")
