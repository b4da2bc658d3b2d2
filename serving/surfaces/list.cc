#include "serving/surfaces/list.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "serving/surfaces/accounts.h"
#include "serving/surfaces/admin.h"
#include "serving/surfaces/attribution.h"
#include "serving/surfaces/audit.h"
#include "serving/surfaces/blocked.h"
#include "serving/surfaces/checkpoints.h"
#include "serving/surfaces/cluster.h"
#include "serving/surfaces/console.h"
#include "serving/surfaces/dead_letters.h"
#include "serving/surfaces/docs.h"
#include "serving/surfaces/engine_datasets.h"
#include "serving/surfaces/engine_error.h"
#include "serving/surfaces/engine_events.h"
#include "serving/surfaces/engine_metrics.h"
#include "serving/surfaces/engine_models.h"
#include "serving/surfaces/engine_recommendations.h"
#include "serving/surfaces/events.h"
#include "serving/surfaces/experiments.h"
#include "serving/surfaces/interactions.h"
#include "serving/surfaces/items.h"
#include "serving/surfaces/jobs.h"
#include "serving/surfaces/lists.h"
#include "serving/surfaces/live.h"
#include "serving/surfaces/meta.h"
#include "serving/surfaces/movies.h"
#include "serving/surfaces/people.h"
#include "serving/surfaces/ranking_rules.h"
#include "serving/surfaces/recommendations.h"
#include "serving/surfaces/recommender.h"
#include "serving/surfaces/shoppable.h"
#include "serving/surfaces/stores.h"
#include "serving/surfaces/users.h"
#include "serving/surfaces/videos.h"

namespace millrace::serving {
namespace {

struct Surface {
  std::string_view name;
  std::vector<Route> (*routes)(const Deps&);
  ErrorForm errors = nullptr;              // of its routes
  Allowance allowance = Allowance::kNone;  // of those that name none
};

constexpr std::string_view kMeta = "meta";  // served everywhere

constexpr Surface kSurfaces[] = {
    {"v1", event_routes},
    {"v1", item_routes},
    {"v1", recommendation_routes},
    {"v1", list_routes},
    {"v1", user_routes},
    {"v1", people_routes},
    {"v1", admin_routes},
    {"v1", blocked_routes},
    {"v1", ranking_rule_routes},
    {"v1", audit_routes},
    {"v1", attribution_routes},
    {"v1", live_routes},
    {"v1", job_routes},
    {"v1", checkpoint_routes},
    {"v1", cluster_routes},
    {"v1", dead_letter_routes},
    {"accounts", account_routes},
    {"movies", movie_routes},
    {"shoppable", shoppable_routes},
    {"shoppable", video_routes},
    {"store", store_routes},
    {"interactions", interaction_routes},
    {"recommender", recommender_routes},
    {"engine", engine_recommendation_routes, error_and_details, Allowance::kApi},
    {"engine", engine_event_routes, error_and_details, Allowance::kApi},
    {"engine", engine_metrics_routes, error_and_details, Allowance::kApi},
    {"engine", engine_dataset_routes, error_and_details, Allowance::kApi},
    {"engine", engine_model_routes, error_and_details, Allowance::kApi},
    {"engine", experiment_routes, error_and_details, Allowance::kApi},
    {"docs", docs_routes},
    {"console", console_routes},
    {kMeta, meta_routes},
};

}  // namespace

std::vector<Route> all_routes(const Deps& deps) {
  std::vector<Route> all;
  for (const auto& surface : kSurfaces) {
    for (auto& route : surface.routes(deps)) {
      route.surface = surface.name;
      route.errors = surface.errors;
      if (route.allowance == Allowance::kNone) route.allowance = surface.allowance;
      all.push_back(std::move(route));
    }
  }
  return all;
}

std::string surface_names() {
  std::string names;
  std::string_view last = kMeta;
  for (const auto& surface : kSurfaces) {
    if (surface.name == kMeta || surface.name == last) continue;
    names.append(names.empty() ? "" : ", ").append(surface.name);
    last = surface.name;
  }
  return names;
}

bool is_surface(std::string_view name) {
  return name != kMeta && std::any_of(std::begin(kSurfaces), std::end(kSurfaces),
                                      [&](const Surface& one) { return one.name == name; });
}

std::vector<Route> only(std::vector<Route> routes, const std::vector<std::string>& surfaces) {
  if (surfaces.empty()) return routes;
  std::erase_if(routes, [&](const Route& route) {
    return route.surface != kMeta &&
           std::find(surfaces.begin(), surfaces.end(), route.surface) == surfaces.end();
  });
  return routes;
}

}  // namespace millrace::serving
