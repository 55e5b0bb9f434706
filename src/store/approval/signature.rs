//! Signatures of approvals: keys and signatures in OpenSSH's formats, so that `ssh-keygen -Y verify` is a second opinion.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use ssh_key::private::KeypairData;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, Signature, SshSig};

use super::NAMESPACE;

/// The key by which a signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(super) ssh_key::PublicKey);

impl PublicKey {
    /// A line as it stands in `id_ed25519.pub` or `authorized_keys`.
    ///
    /// # Errors
    /// Why it is no key that can be used.
    pub fn parse(line: &str) -> Result<Self, String> {
        let key = ssh_key::PublicKey::from_openssh(line.trim())
            .map_err(|error| format!("this is no public ed25519 key: {error}"))?;
        match key.key_data() {
            KeyData::Ed25519(_) => Ok(Self(key)),
            _ => Err(format!("this is a key of `{}`, and approvals are signed with ssh-ed25519", key.algorithm())),
        }
    }

    /// The key that a signature says to be by.
    ///
    /// # Errors
    /// Where it is no signature.
    pub fn of_signature(armoured: &str) -> Result<Self, String> {
        let signature = SshSig::from_pem(armoured).map_err(|error| format!("its signature is none: {error}"))?;
        Ok(Self(ssh_key::PublicKey::from(signature.public_key().clone())))
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Whether this key has signed a text.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, text: &str, armoured: &str) -> Result<(), String> {
        let signature = SshSig::from_pem(armoured).map_err(|error| format!("its signature is none: {error}"))?;
        if signature.public_key() != self.0.key_data() {
            return Err("it is signed by another key".to_owned());
        }
        if signature.namespace() != NAMESPACE {
            return Err(format!("its signature is of `{}`, not of an approval", signature.namespace()));
        }
        let KeyData::Ed25519(key) = self.0.key_data() else { return Err("its key is not of ssh-ed25519".to_owned()) };
        let signed = SshSig::signed_data(NAMESPACE, signature.hash_alg(), text.as_bytes());
        let signed = signed.map_err(|error| format!("its signature cannot be verified: {error}"))?;
        UnparsedPublicKey::new(&ED25519, key.0)
            .verify(&signed, signature.signature_bytes())
            .map_err(|_| "its signature does not fit what it says".to_owned())
    }
}

/// The key that signs.
pub struct PrivateKey(ssh_key::PrivateKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// As it stands in `id_ed25519`.
    ///
    /// # Errors
    /// Why it is no key that can be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = ssh_key::PrivateKey::from_openssh(text)
            .map_err(|error| format!("this is no ed25519 key in OpenSSH's format: {error}"))?;
        match key.algorithm() {
            Algorithm::Ed25519 => Ok(Self(key)),
            other => Err(format!("this is a key of `{other}`, and approvals are signed with ssh-ed25519")),
        }
    }

    /// Whether it asks for a passphrase.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.is_encrypted()
    }

    /// # Errors
    /// Where it is not the passphrase.
    pub fn decrypt(&self, passphrase: &str) -> Result<Self, String> {
        self.0.decrypt(passphrase).map(Self).map_err(|_| "this is not the passphrase of the key".to_owned())
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().clone())
    }

    /// The signature of a text, armoured.
    ///
    /// # Errors
    /// Where the key is of no use.
    pub fn sign(&self, text: &str) -> Result<String, String> {
        let KeypairData::Ed25519(pair) = self.0.key_data() else { return Err("the key is locked".to_owned()) };
        let signing = Ed25519KeyPair::from_seed_and_public_key(&pair.private.to_bytes(), &pair.public.0)
            .map_err(|error| format!("the key is damaged: {error}"))?;
        let signature = signing.sign(&to_sign(text)?);
        let signature = Signature::new(Algorithm::Ed25519, signature.as_ref());
        armoured(&self.public(), signature.map_err(|error| error.to_string())?)
    }
}

/// The bytes that a key signs for a text.
pub(super) fn to_sign(text: &str) -> Result<Vec<u8>, String> {
    SshSig::signed_data(NAMESPACE, HashAlg::Sha512, text.as_bytes()).map_err(|error| error.to_string())
}

/// A signature with all that belongs to it.
pub(super) fn armoured(key: &PublicKey, signature: Signature) -> Result<String, String> {
    let signature = SshSig::new(key.0.key_data().clone(), NAMESPACE, HashAlg::Sha512, signature);
    signature.and_then(|signature| signature.to_pem(LineEnding::LF)).map_err(|error| error.to_string())
}
