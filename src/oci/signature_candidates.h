// Where the signatures of an artifact may lie in its own repository (oci 12):
//
//   classic   the layers of the manifest at tag "sha256-<hex>.sig"
//   referrer  the layers of each manifest of cosign's signature type that has the artifact as its subject (OCI 1.1)
//   bundle    the one layer of each manifest with a Sigstore bundle that has the artifact as its subject
//
// Everything found is only a candidate: whoever may write to the repository may put anything there. So each place, and
// each kind of referrer as the registry lists it, has limits of its own, and within a place each manifest has its turn.
//
// Not here: whether a candidate proves anything (sigstore/).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "oci/registry.h"

namespace windlass {

// Where cosign keeps the signatures of an artifact: "sha256-<hex>.sig" (cosign SIGNATURE_SPEC.md).
std::string signature_tag(const Digest& digest);

struct SignatureCandidate {
  enum class Form { simple, bundle };

  Form form = Form::simple;
  std::string place;  // for people: "tag sha256-….sig", "referrer sha256:…"
  Descriptor blob;    // the signed payload with its annotations, or the bundle
};

struct SignatureCandidates {
  // Of each of the four places, so that nobody who can push keeps us busy with junk (reliability/F48). 64 MiB in all:
  // a good manifest or signature has some KiB, and where there is too much the largest are left out first.
  static constexpr std::size_t kMax = 100;
  static constexpr std::uint64_t kManifestBytesMax = 4 << 20;
  static constexpr std::uint64_t kSignatureBytesMax = 12 << 20;

  // Newest first within a place, one of each manifest before a second of any, the places in turn.
  std::vector<SignatureCandidate> list;
  std::size_t left_out = 0;   // that were over the limits
  std::vector<Error> unread;  // of places that could not be looked at, where a good signature may lie
};

// What is found twice counts once. Absence (404) is no error: the artifact is unsigned there.
SignatureCandidates collect_signatures(Registry& registry, const Reference& repository, const Digest& digest,
                                       const Deadline& deadline);

}  // namespace windlass
