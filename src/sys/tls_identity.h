// What an HTTPS server shows its clients: a certificate chain, and the key that goes with it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace windlass {

struct TlsIdentity {
  std::shared_ptr<ssl_ctx_st> context;     // TLS 1.2 and later
  std::string certificate_hash, key_hash;  // SHA-256 of the files, to tell whether they have changed

  // Reads PEM files: the certificate first and what it was issued by after it; a key without a passphrase.
  // Kind::invalid names the file that is no such thing, or says that the key is another certificate's.
  static Result<TlsIdentity> load(const std::string& certificate_file, const std::string& key_file);
};

}  // namespace windlass
