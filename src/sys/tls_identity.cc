#include "sys/tls_identity.h"

#include <fmt/format.h>

#include <boost/asio/ssl/context.hpp>

#include "base/secret.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kPemBytesMax = 1 << 20;

// Without it OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::unique_ptr<asio::ssl::context> new_context() {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code ignored;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION,
                       ignored);
  // 34 KiB less per idle connection; and of an answer as much as the socket takes.
  ::SSL_CTX_set_mode(context->native_handle(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ::SSL_CTX_set_default_passwd_cb(context->native_handle(), no_passphrase);
  return context;
}

tl::unexpected<Error> fault(std::string_view what, const std::string& file, const std::string& reason) {
  return fail(Kind::invalid, fmt::format("loading {} {}: {}", what, file, reason));
}

}  // namespace

Result<TlsIdentity> TlsIdentity::load(const std::string& certificate_file, const std::string& key_file) {
  const auto certificate = read_file(certificate_file, kPemBytesMax);
  if (!certificate) return while_doing("loading certificate", certificate.error());
  const auto key_text = read_file(key_file, kPemBytesMax);
  if (!key_text) return while_doing("loading key", key_text.error());
  const Secret key(*key_text);

  const auto context = new_context();
  boost::system::error_code error;
  context->use_certificate_chain(asio::buffer(*certificate), error);
  if (error) return fault("certificate", certificate_file, error.message());
  context->use_private_key(asio::buffer(key.reveal()), asio::ssl::context::pem, error);
  if (error) return fault("key", key_file, error.message());
  if (::SSL_CTX_check_private_key(context->native_handle()) != 1)
    return fault("key", key_file, "it is not the key of " + certificate_file);
  ::SSL_CTX_up_ref(context->native_handle());
  return TlsIdentity{.context = {context->native_handle(), ::SSL_CTX_free},
                     .certificate_hash = sha256_hex(*certificate),
                     .key_hash = sha256_hex(key.reveal())};
}

}  // namespace windlass
