/* The name that HANGING_NAME says is looked up without an end, as where the name server does not answer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*LookUp)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

int getaddrinfo(const char* restrict name, const char* restrict service, const struct addrinfo* restrict hints,
                struct addrinfo** restrict found) {
  const char* told = getenv("HANGING_NAME");
  while (told && name && strcmp(name, told) == 0) pause();
  return ((LookUp)dlsym(RTLD_NEXT, "getaddrinfo"))(name, service, hints, found);
}
