"""Roles, and what each may do. The source of the roles is the product's own list; docs/console.md
says why each has what it has."""

from enum import StrEnum


class Permission(StrEnum):
    """What a page or a command asks of the one who uses it."""

    VIEW = "VIEW"
    """Pages, with tokens masked."""
    VIEW_TOKEN = "VIEW_TOKEN"  # noqa: S105 (a permission's name)
    """Tokens in full; each look is an event."""
    EXPORT = "EXPORT"
    """Lists as files."""
    ATTEND = "ATTEND"
    """Have a provider asked at once about an open purchase or advice."""
    STEER_METER = "STEER_METER"
    """Flag a meter for rebroadcast, set its preference."""
    SWITCH_PROVIDER = "SWITCH_PROVIDER"
    """Enable and disable a provider: what has to go fast when one is sick."""
    STEER_ROUTING = "STEER_ROUTING"
    """Weights and utilities' preferences."""
    AUDIT = "AUDIT"
    """The audit log."""
    FINANCE = "FINANCE"
    """Finance's pages."""
    FINANCE_OPERATE = "FINANCE_OPERATE"
    """Upload files, ask for decisions, rollbacks and settlements."""
    FINANCE_APPROVE = "FINANCE_APPROVE"
    """Approve or reject what another person asked for, release settlements."""


class Role(StrEnum):
    """What an operator is signed in as."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ROUTING_MANAGER = "routing-manager"
    FINANCE_OPERATOR = "finance-operator"
    FINANCE_APPROVER = "finance-approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        return self.value.replace("-", " ").capitalize()


_P = Permission

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({_P.VIEW}),
    Role.OPERATOR: frozenset(
        {_P.VIEW, _P.VIEW_TOKEN, _P.EXPORT, _P.ATTEND, _P.STEER_METER, _P.SWITCH_PROVIDER}
    ),
    Role.ROUTING_MANAGER: frozenset(
        {_P.VIEW, _P.EXPORT, _P.STEER_METER, _P.SWITCH_PROVIDER, _P.STEER_ROUTING}
    ),
    Role.FINANCE_OPERATOR: frozenset({_P.VIEW, _P.EXPORT, _P.FINANCE, _P.FINANCE_OPERATE}),
    Role.FINANCE_APPROVER: frozenset({_P.VIEW, _P.EXPORT, _P.FINANCE, _P.FINANCE_APPROVE}),
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.AUDITOR: frozenset({_P.VIEW, _P.EXPORT, _P.AUDIT, _P.FINANCE}),
}
