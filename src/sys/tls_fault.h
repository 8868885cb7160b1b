// The faults of TLS that a setting of the operator's mends.
#pragma once

#include "base/result.h"

namespace windlass {

enum class TlsFault {
  none,            // or another one
  unknown_issuer,  // the certificate may be good, but its CA is none of ours
  speaks_no_tls,   // plain HTTP, most likely
};

// By the words of a transport's error: libcurl has one code for whatever is wrong with a certificate, and one for all
// that ends a handshake.
TlsFault tls_fault_of(const Error& error);

}  // namespace windlass
