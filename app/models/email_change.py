from app.models.identity_change import IdentityChange as EmailChange

__all__ = ["EmailChange"]
