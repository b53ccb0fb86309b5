"""The table of the firewall makes sense by itself."""

from __future__ import annotations

import re

from components.intents import INTENTS, OURS, Party, Protocol


def test_every_intent_has_a_name_of_its_own_and_a_reason() -> None:
    names = [intent.name for intent in INTENTS]
    assert len(names) == len(set(names))
    for intent in INTENTS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", intent.name)
        # What AWS takes as the description of a rule; Azure and GCP take more.
        assert re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{10,140}", intent.why)


def test_ports_are_said_wherever_a_protocol_has_them() -> None:
    for intent in INTENTS:
        assert bool(intent.ports) == (intent.protocol is Protocol.TCP), intent.name
        assert all(1 <= first <= last <= 65535 for first, last in intent.ports)


def test_nothing_comes_in_from_the_internet() -> None:
    assert not [intent.name for intent in INTENTS if Party.INTERNET in intent.sources]


def test_only_nodes_and_pods_go_out_and_only_over_tls() -> None:
    (out,) = [intent for intent in INTENTS if Party.INTERNET in intent.destinations]
    assert set(out.sources) == {Party.NODES, Party.PODS}
    assert out.ports == ((443, 443),)


def test_data_services_answer_only_the_cluster_and_each_other() -> None:
    asking = {source for intent in INTENTS if Party.DATA in intent.destinations for source in intent.sources}
    assert asking == {Party.NODES, Party.PODS, Party.DATA}


def test_every_intent_has_an_end_whose_firewall_is_ours() -> None:
    for intent in INTENTS:
        assert OURS.intersection((*intent.sources, *intent.destinations)), intent.name
