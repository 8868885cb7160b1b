// Which certificates HTTPS peers are judged by: those that programs written in Go find (oci 6).
//
// They read every file of a folder. OpenSSL looks in one for the hashed names that `openssl rehash` makes, so a CA that
// was only put there is read here, once.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace windlass {

struct RootPlaces {
  std::string file;     // PEM, any number of certificates
  std::string folders;  // separated by colons
};

struct TrustedRoots {
  RootPlaces for_libcurl;                      // both empty: its own default
  std::vector<std::shared_ptr<x509_st>> more;  // what it would not find in any of them
  std::vector<std::string> complaints;         // what could not be read
};

// `given` by SSL_CERT_FILE and SSL_CERT_DIR; each takes the place of its like `of_system`, whose file must be the one
// that libcurl has as its default. At most 4 MiB are read.
TrustedRoots find_trusted_roots(const RootPlaces& given, const RootPlaces& of_system);

}  // namespace windlass
