#include "sigstore/timestamp.h"

#include <fmt/format.h>
#include <openssl/ts.h>

#include <ctime>

#include "sigstore/certificate_store.h"
#include "sigstore/openssl.h"

namespace windlass {
namespace {

using Response = std::unique_ptr<TS_RESP, openssl::Free<TS_RESP_free>>;
using VerifyContext = std::unique_ptr<TS_VERIFY_CTX, openssl::Free<TS_VERIFY_CTX_free>>;

Result<Response> read_response(std::string_view der) {
  if (der.size() > kTimestampBytesMax)
    return fail(Kind::denied, fmt::format("want at most {} bytes, found {}", kTimestampBytesMax, der.size()));
  const auto* at = openssl::bytes(der);
  Response response(d2i_TS_RESP(nullptr, &at, static_cast<long>(der.size())));
  openssl::take_error();
  if (!response || at != openssl::bytes(der) + der.size() || TS_RESP_get_tst_info(response.get()) == nullptr)
    return fail(Kind::denied, "want a timestamp response, found something else");
  return response;
}

Result<WallTime> time_of(TS_TST_INFO* info) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &fields) != 1)
    return fail(Kind::denied, "want a time in the timestamp, found none");
  return from_unix_seconds(::timegm(&fields));
}

// The hash in the timestamp is one of this signature, by a hash that nobody can forge.
Status check_imprint(TS_TST_INFO* info, std::string_view signature) {
  auto* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const int nid = OBJ_obj2nid(name);
  if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512)
    return fail(Kind::denied, "want a timestamp by SHA-256, SHA-384 or SHA-512");
  const auto* found = TS_MSG_IMPRINT_get_msg(imprint);
  const auto wanted = openssl::hash_of(signature, EVP_get_digestbynid(nid));
  if (std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(found)),
                       static_cast<std::size_t>(ASN1_STRING_length(found))) != wanted)
    return fail(Kind::denied, "want a timestamp of this signature, found one of something else");
  return {};
}

// The authority's own certificate, the first of its chain, is the signer: one that its anchor issued for somebody else
// is not enough.
bool is_signed_by(PKCS7* token, const Authority& authority) {
  const CertificateStack only(sk_X509_new_null());
  X509_up_ref(authority.chain.front().handle());
  sk_X509_push(only.get(), authority.chain.front().handle());
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> signers(
      PKCS7_get0_signers(token, only.get(), PKCS7_NOINTERN), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  openssl::take_error();
  return signers != nullptr && sk_X509_num(signers.get()) == 1;
}

// The context takes both. OpenSSL 3.4 named the calls after what they do.
void give(TS_VERIFY_CTX* context, X509_STORE* roots, STACK_OF(X509) * intermediates) {
#if OPENSSL_VERSION_PREREQ(3, 4)
  TS_VERIFY_CTX_set0_store(context, roots);
  TS_VERIFY_CTX_set0_certs(context, intermediates);
#else
  TS_VERIFY_CTX_set_store(context, roots);
  TS_VERIFY_CTX_set_certs(context, intermediates);
#endif
}

bool verifies(TS_RESP* response, const Authority& authority, WallTime time) {
  auto* token = TS_RESP_get_token(response);
  if (!is_signed_by(token, authority)) return false;
  const VerifyContext context(TS_VERIFY_CTX_new());
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE);
  give(context.get(), store_of(authority, time).release(), intermediates_of(authority).release());
  const bool good = TS_RESP_verify_token(context.get(), token) == 1;
  openssl::take_error();
  return good;
}

}  // namespace

Result<WallTime> verify_timestamp(std::string_view der, std::string_view signature, const TrustedRoot& root) {
  const auto response = read_response(der);
  if (!response) return tl::unexpected(response.error());
  auto* info = TS_RESP_get_tst_info(response->get());
  if (const auto status = check_imprint(info, signature); !status) return tl::unexpected(status.error());
  auto time = time_of(info);
  if (!time) return time;
  for (const auto& authority : root.timestamp_authorities())
    if (authority.window.includes(*time) && verifies(response->get(), authority, *time)) return *time;
  return fail(Kind::denied,
              fmt::format("want a timestamp of an authority of the trusted root that was in use at {}, found none",
                          to_rfc3339(*time)));
}

}  // namespace windlass
