"""Which tokens an identity provider vouches for, and what is done when it has new keys or is away."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from gqlstock.adapters.identity_provider import IdentityProvider
from support import identity_provider
from support.identity_provider import AUDIENCE, ISSUER, Provider, private, public


@pytest.fixture
async def there() -> AsyncIterator[Provider]:
    async with identity_provider.providing() as made:
        yield made


@contextlib.asynccontextmanager
async def trusting(there: Provider, **options: float) -> AsyncIterator[IdentityProvider]:
    async with contextlib.aclosing(IdentityProvider(there.issuer, **options)) as made:
        yield made


def b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_a_token_that_is_signed_for_us_and_valid_now_tells_its_claims(there: Provider) -> None:
    async with trusting(there) as trusted:
        found = await trusted.claims(there.token(sub="u-7", scope="orders:read"))

    assert found is not None
    assert (found["sub"], found["scope"]) == ("u-7", "orders:read")


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
async def test_every_algorithm_with_a_public_key_is_taken(there: Provider, algorithm: str) -> None:
    key = private(algorithm)
    there.told = identity_provider.document(public(key, kid="k"))

    async with trusting(there) as trusted:
        token = there.token(algorithm=algorithm, key=key, headers={"kid": "k"})
        head, _, signature = token.split(".")
        forged = f"{head}.{b64({**jwt.decode(token, options={'verify_signature': False}), 'sub': 'root'})}.{signature}"

        assert await trusted.claims(token) is not None
        assert await trusted.claims(forged) is None


async def test_both_edwards_curves_are_taken(there: Provider) -> None:
    key = private("Ed448")
    there.told = identity_provider.document(public(key, kid="k"))

    async with trusting(there) as trusted:
        assert await trusted.claims(there.token(algorithm="EdDSA", key=key, headers={"kid": "k"})) is not None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.evil.example"},
        {"iss": f"{ISSUER}/"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"lasts": -31},
        {"ahead": {"nbf": 3_600}},
        {"ahead": {"iat": 3_600}},
        {"sub": 7},
        {"exp": "never"},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": [1]},
        {"aud": 5},
        {"aud": {"gqlstock": 1}},
        *({"without": claim} for claim in ("iss", "aud", "exp", "sub")),
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_us_or_not_for_now_is_refused(there: Provider, claims: dict[str, object]) -> None:
    async with trusting(there) as trusted:
        assert await trusted.claims(there.token()) is not None
        assert await trusted.claims(there.token(**claims)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("claims", [{"lasts": -20}, {"ahead": {"nbf": 10}}, {"aud": ["another", AUDIENCE]}], ids=str)
async def test_clocks_may_differ_a_little_and_a_token_may_be_for_others_too(
    there: Provider, claims: dict[str, object]
) -> None:
    async with trusting(there) as trusted:
        assert await trusted.claims(there.token(**claims)) is not None  # type: ignore[arg-type]


async def test_a_token_that_was_taken_is_refused_once_it_has_expired(there: Provider) -> None:
    async with trusting(there, leeway=0) as trusted:
        token = there.token(exp=int(time.time()) + 2)
        assert await trusted.claims(token) is not None

        await asyncio.sleep(2.1)

        assert await trusted.claims(token) is None


async def test_a_key_that_is_public_is_no_shared_secret(there: Provider) -> None:
    rsa = private("RS256")
    jwk = public(rsa, kid="k")
    there.told = identity_provider.document(jwk)
    pem = rsa.public_key().public_bytes(*_pem())
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "exp": time.time() + 60}

    async with trusting(there) as trusted:
        for secret in (pem, json.dumps(jwk).encode(), b""):
            for algorithm in ("HS256", "HS384", "HS512"):
                assert await trusted.claims(_by_hand(payload, secret, algorithm)) is None
        assert await trusted.claims(there.token(algorithm="RS256", key=rsa, headers={"kid": "k"})) is not None


def _pem() -> tuple[object, object]:
    return serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def _by_hand(payload: object, secret: bytes, algorithm: str) -> str:
    """A token as an attacker makes it: libraries do not sign with a public key."""
    head = f"{b64({'alg': algorithm, 'kid': 'k', 'typ': 'JWT'})}.{b64(payload)}"
    made = hmac.digest(secret, head.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
    return f"{head}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "RS1", ["ES256"], {"alg": "ES256"}])
async def test_a_token_without_a_signature_or_with_another_algorithm_is_refused(
    there: Provider, algorithm: object
) -> None:
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "exp": time.time() + 60}
    head = b64({"alg": algorithm, "kid": there.name})
    signature = there.token().split(".")[2]

    async with trusting(there) as trusted:
        assert await trusted.claims(f"{head}.{b64(payload)}.") is None
        assert await trusted.claims(f"{head}.{b64(payload)}.{signature}") is None


@pytest.mark.parametrize(
    ("algorithm", "signed_with", "published"),
    [
        ("ES256", "ES256", {"alg": "ES384"}),
        ("ES256", "ES256", {"use": "enc"}),
        ("ES256", "ES256", {"kid": "another"}),
        ("ES256", "ES256", {"crv": "P-384"}),
        ("ES256", "ES256", {"kty": "RSA"}),
        ("ES256", "ES256", {"kty": "oct", "k": "c2VjcmV0"}),
        ("RS256", "RS256", {"alg": "PS256"}),
        ("RS256", "RS256", {"kty": "EC"}),
        ("RS256", "RS256", {"n": "AQAB"}),
        ("RS256", "RS256", {"n": 5}),
    ],
    ids=str,
)
async def test_a_key_is_for_what_it_is_published_for(
    there: Provider, algorithm: str, signed_with: str, published: dict[str, object]
) -> None:
    key = private(signed_with)
    token = there.token(algorithm=algorithm, key=key, headers={"kid": "k"})
    there.told = identity_provider.document(public(key, kid="k"))
    async with trusting(there) as trusted:
        assert await trusted.claims(token) is not None

    there.told = identity_provider.document(public(key, kid="k") | published, public(there.key, kid="one"))
    async with trusting(there) as trusted:
        assert await trusted.claims(token) is None
        assert await trusted.claims(there.token()) is not None


async def test_a_weak_key_is_not_taken(there: Provider) -> None:
    weak = private("RS256", bits=1_024)
    there.told = identity_provider.document(public(weak, kid="weak"))
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u", "exp": time.time() + 60}
    signer = jwt.PyJWT({"enforce_minimum_key_length": False})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signer.encode(payload, weak, "RS256", {"kid": "weak"})

    async with trusting(there) as trusted:
        assert await trusted.claims(token) is None


async def test_a_token_says_not_where_its_key_is(there: Provider) -> None:
    own = private("ES256")
    async with identity_provider.providing() as evil:
        evil.told = identity_provider.document(public(own, kid="evil"))
        headers = {"kid": "evil", "jku": evil.receiver.url(), "x5u": evil.receiver.url(), "jwk": public(own)}
        async with trusting(there) as trusted:
            assert await trusted.claims(there.token(key=own, headers=headers)) is None
            assert await trusted.claims(there.token(key=own, headers={**headers, "kid": "one"})) is None

        assert evil.asked == 0


async def test_what_a_token_says_must_be_understood_is_not_passed_over(there: Provider) -> None:
    async with trusting(there) as trusted:
        assert await trusted.claims(there.token(headers={"kid": "one", "crit": ["b64"], "b64": False})) is None


async def test_a_token_without_a_kid_goes_with_the_only_key_for_its_algorithm(there: Provider) -> None:
    token = there.token(headers={})
    there.told = identity_provider.document(public(there.key), public(private("RS256")))
    async with trusting(there) as trusted:
        assert await trusted.claims(token) is not None

    there.told = identity_provider.document(public(there.key), public(private("ES256")))
    async with trusting(there) as trusted:
        assert await trusted.claims(token) is None


# ── keys


async def test_keys_are_asked_for_once_however_many_ask_at_once(there: Provider) -> None:
    async with trusting(there) as trusted:
        found = await asyncio.gather(*(trusted.claims(there.token(sub=f"u-{n}")) for n in range(20)))

    assert all(claims is not None for claims in found)
    assert there.asked == 1


async def test_a_new_key_is_taken_at_once_and_the_old_one_no_more(there: Provider) -> None:
    async with trusting(there, between=0) as trusted:
        old = there.token()
        assert await trusted.claims(old) is not None
        there.rotate()
        assert await trusted.claims(old) is not None

        new = await trusted.claims(there.token())

        assert new is not None
        assert await trusted.claims(old) is None


async def test_unknown_keys_do_not_have_the_provider_asked_again_and_again(there: Provider) -> None:
    async with trusting(there, between=60) as trusted:
        assert await trusted.claims(there.token()) is not None
        for number in range(20):
            assert await trusted.claims(there.token(headers={"kid": f"made up {number}"})) is None

        assert there.asked == 1


async def test_a_key_of_another_kind_does_not_have_the_provider_asked(there: Provider) -> None:
    async with trusting(there, between=0) as trusted:
        assert await trusted.claims(there.token()) is not None
        wrong = there.token(algorithm="RS256", key=private("RS256"))

        assert await trusted.claims(wrong) is None
        assert there.asked == 1


@pytest.mark.parametrize(
    "told",
    [
        500,
        404,
        302,
        identity_provider.answer(b"<html>"),
        identity_provider.answer(b'{"keys": []}'),
        identity_provider.answer(b'{"keys": [null, 5, {"kty": "oct", "k": "eA"}]}'),
        identity_provider.answer(b'{"keys": {"kid": "one"}}'),
        identity_provider.answer(b"[]"),
        identity_provider.answer(b"[" * 5_000),
        identity_provider.answer(b"\xff\xfe"),
        b"no http at all\r\n\r\n",
        None,
    ],
    ids=str,
)
async def test_while_the_provider_is_away_known_keys_go_on_and_others_are_refused(
    there: Provider, told: bytes | int | None
) -> None:
    async with trusting(there, fresh=0, between=0, seconds=0.2) as trusted:
        assert await trusted.claims(there.token()) is not None
        there.told = told
        asked = there.asked

        assert await trusted.claims(there.token(sub="u-2")) is not None
        assert await trusted.claims(there.token(headers={"kid": "unknown"})) is None
        assert await trusted.claims(there.token(sub="u-3")) is not None
        assert there.asked > asked


async def test_a_provider_that_was_never_there_refuses_and_is_asked_again_later(there: Provider) -> None:
    up, there.told = there.told, 503
    async with trusting(there, between=0) as trusted:
        assert await trusted.claims(there.token()) is None
        there.told = up

        assert await trusted.claims(there.token()) is not None


async def test_a_provider_that_nobody_listens_for_refuses() -> None:
    async with identity_provider.providing() as gone:
        pass
    async with trusting(gone) as trusted:
        assert await trusted.claims(gone.token()) is None


async def test_keys_that_are_old_are_asked_for_in_passing(there: Provider) -> None:
    async with trusting(there, fresh=0.2) as trusted:
        old = there.token()
        assert await trusted.claims(old) is not None
        there.rotate()
        await asyncio.sleep(0.3)

        assert await trusted.claims(old) is not None
        await asyncio.sleep(0.2)
        assert await trusted.claims(old) is None


@pytest.mark.parametrize(
    "token",
    ["", "..", "a.b.c", "a.b", "e30.e30.e30", "\ud800.a.b", "é.é.é", "." * 100, "x" * 20_000, "bnVsbA.bnVsbA.bnVsbA"],
    ids=lambda token: repr(token)[:20],
)
async def test_what_is_no_token_is_refused(there: Provider, token: str) -> None:
    async with trusting(there) as trusted:
        assert await trusted.claims(token) is None


async def test_a_long_token_is_refused_unread(there: Provider) -> None:
    async with trusting(there) as trusted:
        assert await trusted.claims(there.token(padding="x" * 10_000)) is not None
        assert await trusted.claims(there.token(padding="x" * 16_000)) is None
