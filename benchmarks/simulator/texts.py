"""Reasons as the log words them, and what each states."""

from __future__ import annotations

from typing import Final

from sspr_audit.sources import scenes

NO_METHODS: Final = (
    "User's account has insufficient authentication methods defined. "
    "Add authentication info to resolve this"
)
CANCELLED: Final = "User cancelled before passing the required authentication methods"
CONTACTED: Final = "User contacted an admin after trying the mobile SMS verification option"
TOO_MANY: Final = "User entered too many invalid SMS verification codes and is blocked for 24 hours"
NOT_IN_GROUP = (
    "This user is not a member of the password reset users group. "
    "Add this user to that group to resolve this."
)
NO_LICENCE = "User does not have a license. You can add a license to the user to resolve this"
NOT_ENABLED = (
    "Password reset is not enabled for this user. "
    "Enable password reset under the configure tab to resolve this"
)
ON_PREMISES = "User's password is managed on-premises. You can enable Password Writeback to resolve"
UNREACHABLE = (
    "We could not reach your on-premises password reset service. Check your sync machine's event"
    " log"
)
REFUSED = (
    "We encountered a problem while resetting the user's on-premises password. "
    "Check your sync machine's event log"
)
AD_POLICY = "On-premises policy violation"

AT_USER_ID = {
    "insufficient-methods": NO_METHODS,
    "user-not-in-sspr-group": NOT_IN_GROUP,
    "license-missing": NO_LICENCE,
    "not-enabled-for-user": NOT_ENABLED,
    "password-managed-on-premises-no-writeback": f"{ON_PREMISES} this",
}
AT_PASSWORD = {"writeback-refused": REFUSED, "onprem-policy-refused": AD_POLICY}

TARGETS: Final = {
    "User cancelled before passing": "user-cancelled",
    "User cancelled before submitting": "user-cancelled",
    "User contacted an admin": "user-contacted-admin",
    "User entered too many invalid SMS": "too-many-attempts-throttled",
    "User's account has insufficient": "insufficient-methods",
    "This user is not a member": "user-not-in-sspr-group",
    "User does not have a license": "license-missing",
    "User's password is managed on-premises": "password-managed-on-premises-no-writeback",
    "Password reset is not enabled": "not-enabled-for-user",
    "We could not reach your on-premises": "writeback-unreachable",
    "OnPremisesConnectivityError": "writeback-unreachable",
    "We encountered a problem while": "writeback-refused",
    "On-premises policy violation": "onprem-policy-refused",
    scenes.REFUSED: "banned-password-cloud",
}
"""How a reason begins, and the cause or family that it states."""
