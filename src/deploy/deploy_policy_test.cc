#include "deploy/deploy_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

std::string verdict(const std::string& model) {
  const auto parsed = parse_json(model);
  const auto good = check_restricted(parsed.value().as_object(), "shop", "/staging/tree");
  return good ? "" : good.error().message;
}

std::string verdict_on_service(const std::string& members) {
  return verdict(fmt::format(R"({{"name":"shop","services":{{"web":{{"image":"shop-web",{}}}}}}})", members));
}

TEST(DeployPolicy, LetsOrdinaryStacksThrough) {
  EXPECT_EQ(verdict(R"({"name":"shop","x-notes":"any","services":{"web":{
      "command":null,"entrypoint":null,"environment":{"A":"b"},"restart":"always",
      "networks":{"default":null,"front":{"aliases":["a"],"ipv4_address":"10.1.1.2"}},
      "ports":[{"target":80,"published":"8080"}],"privileged":false,"cap_add":[],
      "depends_on":{"db":{"condition":"service_started"}},"security_opt":["no-new-privileges:true"],
      "deploy":{"resources":{"limits":{"cpus":1,"memory":"64"}},"replicas":2},
      "build":{"context":"/staging/tree/app","dockerfile":"Dockerfile","args":{"A":"b"}},
      "configs":[{"source":"site"}],"secrets":[{"source":"key"}],"network_mode":"none","oom_score_adj":500,
      "logging":{"driver":"json-file","options":{"max-size":"10m","max-file":"3"}},"x-a":{"privileged":true},
      "post_start":[{"command":["true"]}],
      "volumes":[{"type":"bind","source":"/staging/tree/www","target":"/www","read_only":true,
                  "bind":{"create_host_path":true}},
                 {"type":"volume","source":"data","target":"/data"},{"type":"tmpfs","target":"/tmp"}]}},
    "networks":{"default":{"name":"shop_default","ipam":{}}},
    "volumes":{"data":{"name":"shop_data"}},
    "configs":{"site":{"name":"shop_site","file":"/staging/tree/site.conf"}},
    "secrets":{"key":{"name":"shop_key","environment":"KEY"}}})"),
            "");
}

TEST(DeployPolicy, RefusesWhatReachesTheMachine) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("privileged":true)", "privileged"},
      {R"("cap_add":["SYS_ADMIN"])", "cap_add"},
      {R"("devices":[{"source":"/dev/sda"}])", "devices"},
      {R"("gpus":[{"count":-1}])", "gpus"},
      {R"("device_cgroup_rules":["a *:* rwm"])", "device_cgroup_rules"},
      {R"("pid":"host")", "pid host"},
      {R"("ipc":"host")", "ipc host"},
      {R"("ipc":"container:other")", "ipc container:other"},
      {R"("uts":"host")", "uts host"},
      {R"("network_mode":"host")", "network_mode host"},
      {R"("network_mode":"container:other")", "network_mode container:other"},
      {R"("userns_mode":"host")", "userns_mode host"},
      {R"("cgroup":"host")", "cgroup host"},
      {R"("security_opt":["apparmor=unconfined"])", "security_opt"},
      {R"("security_opt":["no-new-privileges:true","seccomp=unconfined"])", "security_opt"},
      {R"("security_opt":["no-new-privileges:false"])", "security_opt"},
      {R"("security_opt":["no-new-privileges=0"])", "security_opt"},
      {R"("oom_score_adj":-1000)", "oom_score_adj"},
      {R"("oom_kill_disable":true)", "oom_kill_disable"},
      {R"("deploy":{"of_the_future":1})", "deploy.of_the_future"},
      {R"("sysctls":{"kernel.msgmax":"1"})", "sysctls"},
      {R"("cgroup_parent":"/")", "cgroup_parent /"},
      {R"("annotations":{"org.systemd.property.ExecStopPost":"x"})", "annotations"},
      {R"("runtime":"other")", "runtime other"},
      {R"("volumes_from":["container:other"])", "volumes_from"},
      {R"("use_api_socket":true)", "use_api_socket"},
      {R"("credential_spec":{"file":"x"})", "credential_spec"},
      {R"("external_links":["other"])", "external_links"},
      {R"("provider":{"type":"x"})", "provider"},
      {R"("of_the_future":1)", "of_the_future"},
      {R"("post_start":[{"command":["x"],"privileged":true}])", "post_start with privileged"},
      {R"("pre_stop":[{"command":["x"],"privileged":true}])", "pre_stop with privileged"},
      {R"("volumes":[{"type":"bind","source":"/etc","target":"/x"}])", "bind mount of /etc"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree/../../etc","target":"/x"}])",
       "bind mount of /staging/tree/../../etc"},
      {R"("volumes":[{"type":"bind","source":"/staging/treeless","target":"/x"}])", "bind mount of /staging/treeless"},
      {R"("volumes":[{"type":"bind","source":"/var/run/docker.sock","target":"/x"}])",
       "bind mount of /var/run/docker.sock"},
      {R"("volumes":[{"type":"bind","source":"/etc","target":"/x","read_only":true}])", "bind mount of /etc"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree/data","target":"/x"}])",
       "writable bind mount of /staging/tree/data (use a volume, or read_only: true)"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree","target":"/x","read_only":false}])",
       "writable bind mount of /staging/tree (use a volume, or read_only: true)"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree/a","target":"/x","read_only":"true"}])",
       "writable bind mount of /staging/tree/a (use a volume, or read_only: true)"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree/a","read_only":true,"bind":{"recursive":"writable"}}])",
       "bind mount of /staging/tree/a with recursive"},
      {R"("volumes":[{"type":"bind","source":"/staging/tree/a","read_only":true,"bind":{"propagation":"rshared"}}])",
       "bind mount of /staging/tree/a with propagation"},
      {R"("volumes":[{"type":"npipe","source":"x"}])", "volumes of type npipe"},
      {R"("volumes":["/etc:/x"])", "volumes of type "},
      {R"("networks":{"front":{"driver_opts":{"com.docker.network.endpoint.sysctls":"x"}}})",
       "networks.front.driver_opts"},
      {R"("networks":{"front":{"of_the_future":1}})", "networks.front.of_the_future"},
      {R"("networks":["front"])", "networks"},
      {R"("logging":{"driver":"syslog"})", "logging.driver syslog"},
      {R"("logging":{"driver":"x-splunk"})", "logging.driver x-splunk"},
      {R"("logging":{"options":{"fluentd-address":"unix:///run/docker.sock"}})", "logging.options.fluentd-address"},
      {R"("logging":{"driver":"json-file","options":{"max-size":"1m","syslog-address":"x"}})",
       "logging.options.syslog-address"},
      {R"("logging":{"of_the_future":"1"})", "logging.of_the_future 1"},
      {R"("build":{"context":"https://git.test/x.git"})", "build.context https://git.test/x.git"},
      {R"("build":{"context":"/staging/tree","dockerfile":"../../etc/x"})", "build.dockerfile ../../etc/x"},
      {R"("build":{"context":"/staging/tree","additional_contexts":{"a":"/etc"}})", "build.additional_contexts /etc"},
      {R"("build":{"context":"/staging/tree","privileged":true})", "build.privileged"},
      {R"("build":{"context":"/staging/tree","ssh":["default"]})", "build.ssh"},
      {R"("build":{"context":"/staging/tree","network":"host"})", "build.network"},
      {R"("build":{"context":"/staging/tree","tags":["nginx:latest"]})", "build.tags"},
      {R"("build":{"context":"/staging/tree","cache_to":["type=local,dest=/x"]})", "build.cache_to"},
      {R"("build":{"context":"/staging/tree","cache_from":["type=local,src=/x"]})",
       "build.cache_from type=local,src=/x"},
      {R"("build":{"context":"/staging/tree","cache_from":["type=registry,ref=a,type=local,src=/x"]})",
       "build.cache_from type=registry,ref=a,type=local,src=/x"},
      {R"("build":{"context":"/staging/tree","entitlements":["security.insecure"]})", "build.entitlements"},
      {R"("deploy":{"resources":{"reservations":{"devices":[{"capabilities":["gpu"]}]}}})",
       "deploy.resources.reservations.devices"},
  };
  for (const auto& [members, fault] : rows)
    EXPECT_EQ(verdict_on_service(members), std::string("policy: service web: ") + fault) << members;
}

TEST(DeployPolicy, LetsABuildHaveItsOwnNameAlone) {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {R"("image":"shop-web",)", ""},
      {R"("image":"nginx:latest",)", "policy: service web: build of image nginx:latest (leave out image)"},
      {R"("image":"shop-db",)", "policy: service web: build of image shop-db (leave out image)"},
  };
  for (const auto& [image, fault] : rows)
    EXPECT_EQ(verdict(fmt::format(
                  R"({{"services":{{"web":{{{}"build":{{"context":"/staging/tree","cache_from":["r.test/a:1",
                  "type=registry,ref=r.test/b:1"]}}}}}}}})",
                  image)),
              fault);
}

TEST(DeployPolicy, RefusesWhatBelongsToOthers) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("volumes":{"data":{"name":"data","external":true}})",
       "volume data: name data; policy: volume data: external"},
      {R"("volumes":{"data":{"name":"other_data"}})", "volume data: name other_data"},
      {R"("volumes":{"data":{"name":"shop_data","driver":"nfs"}})", "volume data: driver"},
      {R"("volumes":{"data":{"name":"shop_data","driver_opts":{"type":"none","o":"bind","device":"/etc"}}})",
       "volume data: driver_opts"},
      {R"("networks":{"front":{"name":"proxy","external":true}})",
       "network front: name proxy; policy: network front: external"},
      {R"("networks":{"front":{"name":"shop_front","driver":"macvlan"}})", "network front: driver"},
      {R"("networks":{"front":{"name":"shop_front","ipam":{"config":[{"subnet":"10.0.0.0/8"}]}}})",
       "network front: ipam"},
      {R"("networks":{"front":{"name":"shop_front","ipam":{"driver":"other"}}})", "network front: ipam"},
      {R"("secrets":{"key":{"name":"shop_key","file":"/etc/shadow"}})", "secret key: file /etc/shadow"},
      {R"("secrets":{"key":{"name":"shop_key","external":true}})", "secret key: external"},
      {R"("configs":{"c":{"name":"shop_c","template_driver":"golang"}})", "config c: template_driver"},
      {R"("models":{"llm":{"model":"x"}})", "models"},
  };
  for (const auto& [members, fault] : rows)
    EXPECT_EQ(verdict(fmt::format(R"({{"name":"shop",{}}})", members)), std::string("policy: ") + fault) << members;
}

TEST(DeployPolicy, RefusesVolumesThatOthersHaveMade) {
  const auto verdict_with = [](const char* name, Labels labels) {
    const auto model = parse_json(R"({"volumes":{"b_data":{"name":"shop_b_data"},"logs":{}}})");
    const auto good = check_volumes_are_own(model->get_object(), "shop",
                                            {{.name = "x"}, {.name = name, .labels = std::move(labels)}});
    return good ? "fine" : std::string(to_string(good.error().kind)) + ": " + good.error().message;
  };
  const char* const project = "com.docker.compose.project";
  const char* const volume = "com.docker.compose.volume";
  EXPECT_EQ(verdict_with("other_data", {}), "fine");
  EXPECT_EQ(verdict_with("shop_b_data", {{project, "shop"}, {volume, "b_data"}}), "fine");
  EXPECT_EQ(verdict_with("shop_logs", {{project, "shop"}, {volume, "logs"}}), "fine");
  EXPECT_EQ(verdict_with("shop_b_data", {{project, "shop_b"}, {volume, "data"}}),
            "denied: policy: volume b_data: shop_b_data is volume data of stack shop_b");
  EXPECT_EQ(verdict_with("shop_b_data", {{project, "shop"}, {volume, "data"}}),
            "denied: policy: volume b_data: shop_b_data is volume data of stack shop");
  EXPECT_EQ(verdict_with("shop_logs", {{"a", "b"}}),
            "denied: policy: volume logs: shop_logs is a volume that no stack has made");
}

TEST(DeployPolicy, NamesEverythingAtOnce) {
  EXPECT_EQ(verdict(R"({"services":{"a":{"privileged":true,"pid":"host"},"b":{"uts":"host"}}})"),
            "policy: service a: privileged; policy: service a: pid host; policy: service b: uts host");
}

}  // namespace
}  // namespace windlass
