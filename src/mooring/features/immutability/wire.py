"""Rules as the API spells them."""

from typing import Any

from msgspec import Struct

from mooring.features.immutability.queries import Content, Rule, Selector


class ImmutableSelector(Selector, frozen=True, omit_defaults=True):
    """Which repositories, without their project's name, or which tags."""

    @classmethod
    def of(cls, selector: Selector) -> "ImmutableSelector":
        return cls(selector.kind, selector.decoration, selector.pattern, selector.extras)


class ImmutableRule(Struct, omit_defaults=True, kw_only=True):
    """A rule; of one that is sent the id counts only where it changes another."""

    id: int = 0
    priority: int = 0
    disabled: bool = False
    action: str = ""
    template: str = ""
    params: dict[str, Any] = {}
    tag_selectors: list[ImmutableSelector] = []
    scope_selectors: dict[str, list[ImmutableSelector]] = {}

    @classmethod
    def of(cls, rule: Rule) -> "ImmutableRule":
        content = rule.content
        return cls(
            id=rule.id,
            priority=content.priority,
            disabled=rule.is_disabled,
            action=content.action,
            template=content.template,
            params=dict(content.params),
            tag_selectors=[ImmutableSelector.of(each) for each in content.tag_selectors],
            scope_selectors={
                scope: [ImmutableSelector.of(each) for each in selectors]
                for scope, selectors in content.scope_selectors.items()
            },
        )

    def content(self) -> Content:
        return Content(
            priority=self.priority,
            action=self.action,
            template=self.template,
            params=self.params,
            tag_selectors=self.tag_selectors,
            scope_selectors=self.scope_selectors,
        )
