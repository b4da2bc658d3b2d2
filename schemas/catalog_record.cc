#include "schemas/catalog_record.h"

#include <algorithm>
#include <utility>

#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"

namespace millrace {
namespace {

// ---- items

void fill(proto::Item& message, const Item& item) {
  message.set_id(item.id.value);
  message.set_kind(item.kind);
  message.set_title(item.title);
  for (const auto& category : item.categories) message.add_categories(category);
  for (const auto& tag : item.tags) message.add_tags(tag);
  message.set_price(item.price);
  if (item.created) message.set_created_ms(*item.created);
  if (item.published) message.set_published_ms(*item.published);
  message.set_attributes(item.attributes);
  message.set_hidden(item.hidden);
  message.set_parent(item.parent.value);
}

Item item_of_any(const proto::Item& message) {
  Item item;
  item.id.value = message.id();
  item.kind = message.kind();
  item.title = message.title();
  item.categories.assign(message.categories().begin(), message.categories().end());
  item.tags.assign(message.tags().begin(), message.tags().end());
  item.price = message.price();
  if (message.has_created_ms()) item.created = message.created_ms();
  if (message.has_published_ms()) item.published = message.published_ms();
  item.attributes = message.attributes();
  item.hidden = message.hidden();
  item.parent.value = message.parent();
  return item;
}

Result<Item> item_of(const proto::Item& message) {
  if (message.id().empty()) return corrupt_bytes("item: it has no id");
  return item_of_any(message);
}

Result<MintItem> mint_of(const proto::Item& message) {
  if (message.kind().empty()) return corrupt_bytes("new item: it has no kind");
  return MintItem{item_of_any(message)};
}

Result<PutGenre> genre_of(const proto::PutGenre& message) {
  if (message.name().empty()) return corrupt_bytes("genre: it has no name");
  return PutGenre{GenreId(message.id()), message.name()};
}

// ---- stores

Result<PutStore> store_of(const proto::PutStore& message) {
  if (message.name().empty()) return corrupt_bytes("store: it has no name");
  return PutStore{message.id(), AccountId(message.by()), message.name()};
}

void fill(proto::PutProduct& message, const PutProduct& product) {
  message.set_id(product.id);
  message.set_by(product.by.value);
  message.set_store(product.store);
  if (product.name) message.set_name(*product.name);
  if (product.description) message.set_description(*product.description);
  if (product.price) message.set_price(*product.price);
  if (product.category) message.set_category(*product.category);
  if (product.quantity) message.set_quantity(*product.quantity);
  message.set_sold_before(product.sold_before);
}

PutProduct product_of(const proto::PutProduct& message) {
  PutProduct product{message.id(), AccountId(message.by()), message.store()};
  if (message.has_name()) product.name = message.name();
  if (message.has_description()) product.description = message.description();
  if (message.has_price()) product.price = message.price();
  if (message.has_category()) product.category = message.category();
  if (message.has_quantity()) product.quantity = message.quantity();
  product.sold_before = message.sold_before();
  return product;
}

Result<DeleteOwned> owned_of(const proto::DeleteOwned& message) {
  if (message.id().empty()) return corrupt_bytes("deletion: it names no item");
  return DeleteOwned{ItemId(message.id()), AccountId(message.by())};
}

Result<PutRate> rate_of(const proto::PutRate& message) {
  if (!check_currency(message.currency()) || !check_rate(message.rate()) || message.digits() > 4) {
    return corrupt_bytes("rate of a currency");
  }
  return PutRate{message.currency(),
                 Rate{message.rate(), static_cast<std::uint8_t>(message.digits())}};
}

// ---- datasets, and what is said of people

void fill(proto::Dataset& message, const Dataset& dataset) {
  message.set_name(dataset.name);
  message.set_type(static_cast<std::uint32_t>(dataset.type));
  message.set_checksum(dataset.checksum);
  message.set_bytes(dataset.bytes);
  message.set_rows(dataset.rows);
  message.set_rejected(dataset.rejected);
}

Result<PutDataset> dataset_of(const proto::Dataset& message) {
  if (message.type() < 1 || message.type() > 3) return corrupt_bytes("dataset: unknown type");
  return PutDataset{{message.name(), static_cast<DatasetType>(message.type()), message.checksum(),
                     message.bytes(), message.rows(), message.rejected()}};
}

Result<DescribePerson> description_of(const proto::DescribePerson& message) {
  if (message.user().empty()) return corrupt_bytes("description: it names no user");
  return DescribePerson{UserId(message.user()),
                        {{message.label().begin(), message.label().end()},
                         {message.genre().begin(), message.genre().end()},
                         message.attributes()}};
}

// ---- accounts

Result<Role> role_of(std::uint32_t number) {
  if (number > static_cast<std::uint32_t>(Role::kAdmin))
    return corrupt_bytes("account: unknown role");
  return static_cast<Role>(number);
}

void fill(proto::SignUp& message, const SignUp& sign_up) {
  message.set_username(sign_up.username);
  message.set_email(sign_up.email);
  message.set_password_hash(sign_up.password_hash);
  message.set_role(static_cast<std::uint32_t>(sign_up.role));
}

Result<SignUp> sign_up_of(const proto::SignUp& message) {
  if (message.username().empty()) return corrupt_bytes("sign-up: it has no name");
  SignUp sign_up{message.username(), message.email(), message.password_hash()};
  MILLRACE_TRY(sign_up.role, role_of(message.role()));
  return sign_up;
}

void fill(proto::ChangeAccount& message, const ChangeAccount& change) {
  message.set_id(change.id.value);
  if (change.username) message.set_username(*change.username);
  if (change.email) message.set_email(*change.email);
  if (change.password_hash) message.set_password_hash(*change.password_hash);
  if (change.role) message.set_role(static_cast<std::uint32_t>(*change.role));
}

Result<ChangeAccount> change_of(const proto::ChangeAccount& message) {
  ChangeAccount change;
  change.id = AccountId(message.id());
  if (message.has_username()) change.username = message.username();
  if (message.has_email()) change.email = message.email();
  if (message.has_password_hash()) change.password_hash = message.password_hash();
  if (message.has_role()) {
    MILLRACE_TRY(change.role, role_of(message.role()));
  }
  return change;
}

void fill(proto::IssueToken& message, const IssueToken& issue) {
  message.set_account(issue.account.value);
  message.set_hash(issue.hash);
  message.set_name(issue.name);
  message.set_scopes(issue.scopes);
  message.set_expires_ms(issue.expires);
  message.set_replaces(issue.replaces.value);
}

Result<IssueToken> issue_of(const proto::IssueToken& message) {
  if (message.hash().empty()) return corrupt_bytes("token: it has no hash");
  return IssueToken{AccountId(message.account()),
                    message.hash(),
                    message.name(),
                    static_cast<std::uint8_t>(message.scopes()),
                    message.expires_ms(),
                    TokenId(message.replaces())};
}

// ---- access

void fill(proto::AddressRange& message, const AddressRange& range) {
  message.set_first(range.first.bytes.data(), range.first.bytes.size());
  message.set_bits(range.bits);
}

Result<AddressRange> range_of(const proto::AddressRange& message) {
  AddressRange range;
  if (message.first().size() != range.first.bytes.size() || message.bits() > 128) {
    return corrupt_bytes("address range");
  }
  std::copy(message.first().begin(), message.first().end(), range.first.bytes.begin());
  range.bits = static_cast<std::uint8_t>(message.bits());
  return range;
}

void fill(proto::BlockAddress& message, const BlockAddress& block) {
  fill(*message.mutable_range(), block.range);
  message.set_reason(block.reason);
  message.set_until_ms(block.until);
  message.set_automatic(block.automatic);
}

Result<BlockAddress> block_of(const proto::BlockAddress& message) {
  MILLRACE_TRY(const auto range, range_of(message.range()));
  return BlockAddress{range, message.reason(), message.until_ms(), message.automatic()};
}

Result<UnblockAddress> unblock_of(const proto::AddressRange& message) {
  MILLRACE_TRY(const auto range, range_of(message));
  return UnblockAddress{range};
}

Result<Notice> notice_of(const proto::Notice& message) {
  if (message.kind() < 1 || message.kind() > 2) return corrupt_bytes("notice: unknown kind");
  return Notice{static_cast<NoticeKind>(message.kind()), message.subject(), message.details()};
}

Result<MergePeople> merge_of(const proto::MergePeople& message) {
  if (message.user().empty() || message.into().empty()) {
    return corrupt_bytes("merge: it names no two people");
  }
  return MergePeople{UserId(message.user()), UserId(message.into())};
}

// Puts each kind of change where the message has it.
struct Fill {
  proto::CatalogRecord& message;

  void operator()(const Item& item) const { fill(*message.mutable_item(), item); }
  void operator()(const DeleteItem& gone) const { message.set_delete_item(gone.id.value); }
  void operator()(const DemandErase& demand) const { message.set_erase_user(demand.user.value); }
  void operator()(const MergePeople& merge) const {
    message.mutable_merge_people()->set_user(merge.user.value);
    message.mutable_merge_people()->set_into(merge.into.value);
  }
  void operator()(const PutRule& put) const { fill(*message.mutable_put_rule(), put.rule); }
  void operator()(const DeleteRule& gone) const { message.set_delete_rule(gone.id); }
  void operator()(const SignUp& sign_up) const { fill(*message.mutable_sign_up(), sign_up); }
  void operator()(const ChangeAccount& change) const {
    fill(*message.mutable_change_account(), change);
  }
  void operator()(const CloseAccount& close) const { message.set_close_account(close.id.value); }
  void operator()(const IssueToken& issue) const { fill(*message.mutable_issue_token(), issue); }
  void operator()(const RevokeToken& revoke) const { message.set_revoke_token(revoke.id.value); }
  void operator()(const ReserveUsers& reserve) const { message.set_reserve_users(reserve.up_to); }
  void operator()(const MintItem& mint) const { fill(*message.mutable_mint_item(), mint.item); }
  void operator()(const PutGenre& put) const {
    message.mutable_put_genre()->set_id(put.id.value);
    message.mutable_put_genre()->set_name(put.name);
  }
  void operator()(const DeleteGenre& gone) const { message.set_delete_genre(gone.id.value); }
  void operator()(const PutStore& put) const {
    auto& store = *message.mutable_put_store();
    store.set_id(put.id);
    store.set_by(put.by.value);
    store.set_name(put.name);
  }
  void operator()(const PutProduct& put) const { fill(*message.mutable_put_product(), put); }
  void operator()(const DeleteOwned& gone) const {
    message.mutable_delete_owned()->set_id(gone.id.value);
    message.mutable_delete_owned()->set_by(gone.by.value);
  }
  void operator()(const PutRate& put) const {
    auto& rate = *message.mutable_put_rate();
    rate.set_currency(put.currency);
    rate.set_rate(put.rate.value);
    rate.set_digits(put.rate.digits);
  }
  void operator()(const DeleteRate& gone) const { message.set_delete_rate(gone.currency); }
  void operator()(const PutExperiment& put) const {
    fill(*message.mutable_put_experiment(), put.experiment);
  }
  void operator()(const StopExperiment& stop) const { message.set_stop_experiment(stop.id); }
  void operator()(const PutDataset& put) const {
    fill(*message.mutable_put_dataset(), put.dataset);
  }
  void operator()(const DeleteDataset& gone) const { message.set_delete_dataset(gone.id); }
  void operator()(const DescribePerson& put) const {
    auto& person = *message.mutable_describe_person();
    person.set_user(put.user.value);
    person.mutable_label()->Assign(put.note.labels.begin(), put.note.labels.end());
    person.mutable_genre()->Assign(put.note.genres.begin(), put.note.genres.end());
    person.set_attributes(put.note.attributes);
  }
  void operator()(const PutBlend& put) const { fill(*message.mutable_put_blend(), put.blend); }
  void operator()(const BlockAddress& block) const {
    fill(*message.mutable_block_address(), block);
  }
  void operator()(const UnblockAddress& gone) const {
    fill(*message.mutable_unblock_address(), gone.range);
  }
  void operator()(const Notice& notice) const {
    message.mutable_notice()->set_kind(static_cast<std::uint32_t>(notice.kind));
    message.mutable_notice()->set_subject(notice.subject);
    message.mutable_notice()->set_details(notice.details);
  }
};

Result<CatalogChange> change_of(const proto::CatalogRecord& message) {
  using Case = proto::CatalogRecord;
  switch (message.change_case()) {
    case Case::kItem: return item_of(message.item());
    case Case::kSignUp: return sign_up_of(message.sign_up());
    case Case::kChangeAccount: return change_of(message.change_account());
    case Case::kIssueToken: return issue_of(message.issue_token());
    case Case::kMintItem: return mint_of(message.mint_item());
    case Case::kPutGenre: return genre_of(message.put_genre());
    case Case::kBlockAddress: return block_of(message.block_address());
    case Case::kUnblockAddress: return unblock_of(message.unblock_address());
    case Case::kNotice: return notice_of(message.notice());
    case Case::kPutStore: return store_of(message.put_store());
    case Case::kPutProduct: return product_of(message.put_product());
    case Case::kDeleteOwned: return owned_of(message.delete_owned());
    case Case::kPutRate: return rate_of(message.put_rate());
    case Case::kDeleteRate: return DeleteRate{message.delete_rate()};
    case Case::kPutExperiment:
      return experiment_of(message.put_experiment()).map([](Experiment&& experiment) {
        return CatalogChange(PutExperiment{std::move(experiment)});
      });
    case Case::kStopExperiment: return StopExperiment{message.stop_experiment()};
    case Case::kPutDataset: return dataset_of(message.put_dataset());
    case Case::kDeleteDataset: return DeleteDataset{message.delete_dataset()};
    case Case::kDescribePerson: return description_of(message.describe_person());
    case Case::kPutBlend:
      return blend_of(message.put_blend()).map([](Blend&& blend) {
        return CatalogChange(PutBlend{std::move(blend)});
      });
    case Case::kDeleteGenre: return DeleteGenre{GenreId(message.delete_genre())};
    case Case::kDeleteItem:
      if (message.delete_item().empty()) return corrupt_bytes("deletion: it names no item");
      return DeleteItem{ItemId(message.delete_item())};
    case Case::kEraseUser:
      if (message.erase_user().empty()) return corrupt_bytes("erasure: it names no user");
      return DemandErase{UserId(message.erase_user())};
    case Case::kMergePeople: return merge_of(message.merge_people());
    case Case::kPutRule:
      return rule_of(message.put_rule()).map([](RankingRule&& rule) {
        return CatalogChange(PutRule{std::move(rule)});
      });
    case Case::kDeleteRule: return DeleteRule{message.delete_rule()};
    case Case::kCloseAccount: return CloseAccount{AccountId(message.close_account())};
    case Case::kRevokeToken: return RevokeToken{TokenId(message.revoke_token())};
    case Case::kReserveUsers: return ReserveUsers{message.reserve_users()};
    case Case::CHANGE_NOT_SET: break;
  }
  return corrupt_bytes("catalog record of a kind that this version knows");
}

}  // namespace

std::string encode(const CatalogRecord& record) {
  proto::CatalogRecord message;
  message.set_command_id(record.command_id);
  std::visit(Fill{message}, record.change);
  if (record.actor) {
    message.mutable_actor()->set_account(record.actor->account.value);
    message.mutable_actor()->set_token(record.actor->token.value);
    message.mutable_actor()->set_address(record.actor->address);
  }
  return message.SerializeAsString();
}

Result<CatalogRecord> decode_catalog_record(std::string_view bytes) {
  proto::CatalogRecord message;
  if (!parse_message(message, bytes)) return corrupt_bytes("catalog record");
  MILLRACE_TRY(auto change, change_of(message));
  CatalogRecord record{message.command_id(), std::move(change)};
  if (message.has_actor()) {
    const auto& actor = message.actor();
    record.actor = Actor{AccountId(actor.account()), TokenId(actor.token()), actor.address()};
  }
  return record;
}

std::string encode(const Item& item) {
  proto::Item message;
  fill(message, item);
  return message.SerializeAsString();
}

Result<Item> decode_item(std::string_view bytes) {
  proto::Item message;
  if (!parse_message(message, bytes)) return corrupt_bytes("item");
  return item_of(message);
}

}  // namespace millrace
