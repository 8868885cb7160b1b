// Where the signatures of an artifact may lie in its own repository (oci 12):
//
//   classic   the layers of the manifest at tag "sha256-<hex>.sig"
//   referrer  the layers of each manifest of cosign's signature type that has the artifact as its subject (OCI 1.1)
//   bundle    the one layer of each manifest with a Sigstore bundle that has the artifact as its subject
//
// Everything found is only a candidate: whoever may write to the repository may put anything there.
//
// Not here: whether a candidate proves anything (sigstore/).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "oci/registry.h"

namespace windlass {

struct SignatureCandidate {
  enum class Form { simple, bundle };

  Form form = Form::simple;
  std::string place;  // for people: "tag sha256-….sig", "referrer sha256:…"
  Descriptor blob;    // the signed payload with its annotations, or the bundle
};

struct SignatureCandidates {
  static constexpr std::size_t kMax = 100;  // so that nobody who can push keeps us busy with junk (reliability/F48)

  // Newest first within a place, the places in turn: a flood in one of them does not hide the others.
  std::vector<SignatureCandidate> list;
  std::size_t left_out = 0;   // that were over kMax
  std::vector<Error> unread;  // of places that could not be looked at, where a good signature may lie
};

// What is found twice counts once. Absence (404) is no error: the artifact is unsigned there.
SignatureCandidates collect_signatures(Registry& registry, const Reference& repository, const Digest& digest,
                                       const Deadline& deadline);

}  // namespace windlass
