//! Coming, changing what is declared, and leaving.

use crate::{
	Config, Endpoint, Error, Event, Gpus, HoldReason, Membership, Pallet, Provider, Providers, Records,
	Standing,
};
use frame_support::{
	ensure,
	traits::{Get, Time},
	BoundedVec,
};
use millrace_primitives::Country;
use sp_runtime::DispatchResult;

/// What a provider declares.
#[derive(Clone)]
pub(crate) struct Profile {
	pub(crate) endpoint: Endpoint,
	pub(crate) country: Country,
	pub(crate) network: u32,
}

impl Profile {
	/// Checks the form of what is declared; whether it is true is not checked.
	fn ensure_well_formed<T: Config>(&self) -> DispatchResult {
		ensure!(is_endpoint(&self.endpoint), Error::<T>::BadEndpoint);
		ensure!(self.country.iter().all(u8::is_ascii_uppercase), Error::<T>::BadCountry);
		Ok(())
	}

	/// The event that says so.
	fn declared_by<T: Config>(self, provider: T::AccountId) -> Event<T> {
		let Self { endpoint, country, network } = self;
		Event::ProfileDeclared { provider, endpoint, country, network }
	}
}

impl<T: Config> Pallet<T> {
	/// Makes an account a provider.
	pub(crate) fn do_register(who: T::AccountId, profile: Profile) -> DispatchResult {
		profile.ensure_well_formed::<T>()?;
		ensure!(!Providers::<T>::contains_key(&who), Error::<T>::AlreadyRegistered);
		let deposit = T::RegistrationDeposit::get();
		Self::hold(HoldReason::Registration, &who, deposit)?;
		let Profile { endpoint, country, network } = profile.clone();
		let provider = Provider {
			worker: None,
			endpoint,
			country,
			network,
			group: Membership::Alone,
			standing: Standing::New,
			bonded: 0,
			locked: 0,
			unbonding: BoundedVec::new(),
			penalties: 0,
			pending_slashes: 0,
			slashed: 0,
			era_slashes: Default::default(),
			maintenance: None,
			rested_at: 0,
			deposit,
			next_gpu: 0,
			capacity_changed: false,
			registered_at: T::Time::now(),
		};
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::Registered { provider: who.clone(), deposit });
		Self::deposit_event(profile.declared_by(who));
		Ok(())
	}

	/// Replaces what a provider declares.
	pub(crate) fn do_update_profile(who: T::AccountId, profile: Profile) -> DispatchResult {
		profile.ensure_well_formed::<T>()?;
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let Profile { endpoint, country, network } = profile.clone();
		provider.endpoint = endpoint;
		provider.country = country;
		provider.network = network;
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(profile.declared_by(who));
		Ok(())
	}

	/// Takes a provider that has nothing left off the registry.
	pub(crate) fn do_deregister(who: T::AccountId) -> DispatchResult {
		let provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		ensure!(Gpus::<T>::iter_key_prefix(&who).next().is_none(), Error::<T>::StillHasGpus);
		ensure!(provider.bonded == 0 && provider.unbonding.is_empty(), Error::<T>::StillBonded);
		ensure!(provider.pending_slashes == 0, Error::<T>::SlashPending);
		Self::give_back(HoldReason::Registration, &who, provider.deposit)?;
		Providers::<T>::remove(&who);
		Records::<T>::remove(&who);
		if let Some(worker) = provider.worker {
			Self::release_worker(&worker);
			Self::deposit_event(Event::WorkerRemoved { provider: who.clone(), worker });
		}
		Self::deposit_event(Event::Deregistered { provider: who, deposit: provider.deposit });
		Ok(())
	}
}

/// Whether the bytes can be an address. Whoever shows it must find nothing but one: no spaces, no control characters.
fn is_endpoint(bytes: &[u8]) -> bool {
	let host = bytes.strip_prefix(b"wss://").or_else(|| bytes.strip_prefix(b"ws://"));
	host.is_some_and(|host| !host.is_empty() && host.iter().all(u8::is_ascii_graphic))
}
