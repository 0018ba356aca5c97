"""How simulated people come into contact with us, and what strangers try. A life is one person's contacts, in order."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator
from random import Random

from shared.channels.message import Trust
from tests.simulations.world import Person, World

Life = Callable[[World, Person], Awaitable[None]]


async def by_mail(world: World, person: Person) -> None:
    """E-mail alone, in a few threads."""
    threads = [uuid.uuid4().hex[:12] for _ in range(3)]
    for _ in range(person.chance.randint(5, 10)):
        await world.mail(person, thread=person.chance.choice(threads))


async def by_whatsapp(world: World, person: Person) -> None:
    """WhatsApp alone."""
    for _ in range(person.chance.randint(5, 10)):
        await world.text(person)


async def linked_by_code(world: World, person: Person) -> None:
    """By e-mail first, or from an address we never saw; then on WhatsApp, where the agent links the two."""
    if person.chance.random() < 0.8:
        await by_mail(world, person)
    await world.text(person)
    code = await world.ask_for_code(person, "email", person.email)
    if person.chance.random() < 0.3:
        await world.say_code(person, f"{(int(code) + 1) % 1_000_000:06}")
    await world.say_code(person, code)
    await _anywhere(world, person)


async def linked_by_operator(world: World, person: Person) -> None:
    """A while on both, as two customers; then an operator joins them."""
    await world.mail(person)
    for _ in range(2):
        await world.text(person)
    await world.operator_links(person)
    await _anywhere(world, person)


async def proven_by_link(world: World, person: Person) -> None:
    """The form first, by a typed address; the link is followed, and the page goes on as theirs, beside e-mail."""
    if person.chance.random() < 0.5:
        await world.mail(person)
    ticket, stored = await world.form(person)
    if person.chance.random() < 0.4:
        await world.form(person, ticket=ticket)
    await world.follow_link(stored)
    for _ in range(person.chance.randint(2, 5)):
        await world.form(person, ticket=ticket, trust=Trust.VERIFIED)
    for _ in range(person.chance.randint(2, 5)):
        await world.mail(person)


async def signed_in(world: World, person: Person) -> None:
    """The embedding site says who they are; they write by e-mail too."""
    for _ in range(person.chance.randint(3, 5)):
        await world.form(person, trust=Trust.VERIFIED)
        await world.mail(person)


async def never_proven(world: World, person: Person) -> None:
    """A typed address whose link nobody follows: known to nobody."""
    await world.form(person)


#: How many of a hundred live so.
LIVES: list[tuple[Life, int]] = [
    (by_mail, 32),
    (by_whatsapp, 22),
    (linked_by_code, 16),
    (linked_by_operator, 10),
    (proven_by_link, 12),
    (signed_in, 5),
    (never_proven, 3),
]


async def _anywhere(world: World, person: Person) -> None:
    for _ in range(person.chance.randint(5, 9)):
        await (world.mail(person) if person.chance.random() < 0.5 else world.text(person))


async def types_a_known_address(world: World, stranger: Person, victim: Person) -> None:
    """Somebody else's address in the form, again and again; its owner follows no link."""
    ticket, _ = await world.form(stranger, address=victim.email)
    await world.form(stranger, ticket=ticket, address=victim.email)


async def forges(world: World, stranger: Person, victim: Person) -> None:
    """Mail in somebody else's name: once that fails the check, once that shows no result; also in their thread."""
    await world.mail(stranger, sender=victim.email, trust=Trust.HELD)
    await world.mail(stranger, sender=victim.email, trust=Trust.CLAIMED)


async def guesses(world: World, stranger: Person, victim: Person) -> None:
    """A code is sent to the victim, and the stranger tries to guess it; then says one that was another's."""
    code = await world.ask_for_code(stranger, "email", victim.email)
    for number in range(6):
        guess = f"{number:06}"
        if guess != code:
            await world.say_code(stranger, guess)


async def shares_a_phone(world: World, one: Person, other: Person) -> None:
    """Two people, two addresses, one phone that is the first one's: the second's address is not laid beside it."""
    await world.mail(other)
    await linked_by_code(world, one)
    phone = Person(other.name, other.email, one.phone, other.chance)
    await world.text(phone, holder=one)
    code = await world.ask_for_code(Person(one.name, "", one.phone, one.chance), "email", other.email)
    await world.say_code(one, code)
    await world.mail(other)


async def inherits_a_number(world: World, before: Person, after: Person) -> None:
    """A number goes silent, and is given to somebody else."""
    await linked_by_operator(world, before)
    await world.years_pass(before.phone)
    world.holds(after, "phone", before.phone)
    heir = Person(after.name, after.email, before.phone, after.chance)
    await by_whatsapp(world, heir)
    for _ in range(4):
        await world.mail(before)


def addresses(count: int, chance: Random) -> Iterator[str]:
    """Addresses, every tenth a look-alike of the one before: other dots, a tag, a digit for a letter."""
    last = ""
    for number in range(count):
        if number % 10 == 9:
            local, _, domain = last.partition("@")
            twins = (f"{local[:2]}.{local[2:]}", f"{local}+shop", f"{local.replace('o', '0')}x")
            last = f"{chance.choice(twins)}@{domain}"
        else:
            last = f"person{number}@{chance.choice(['example.org', 'example.com', 'example.net'])}"
        yield last


def numbers(count: int) -> Iterator[str]:
    """Telephone numbers that are reserved for fiction, in any area code."""
    made = (f"+1{area}55501{last:02d}" for area in range(202, 990) for last in range(100) if area % 100 != 11)
    for _ in range(count):
        yield next(made)
